"""Every word of the pages, from one catalogue per language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any

from roomread.errors import SettingsError

LANGUAGE = "en"


class Words(Mapping[str, Any]):
    """The words of one language, by section and name: `words.home.title` in a page, `words["home"]` in Python."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = {key: Words(value) if isinstance(value, dict) else value for key, value in values.items()}

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __iter__(self) -> Any:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def plain(self) -> dict[str, Any]:
        """Return nested dictionaries, for JSON."""
        return {key: value.plain() if isinstance(value, Words) else value for key, value in self._values.items()}


def read_words(language: str = LANGUAGE) -> Words:
    """Return the catalogue of a language, `words/LANGUAGE.toml`.

    Raises:
        SettingsError: there is none.
    """
    path = resources.files("roomread.app.web") / "words" / f"{language}.toml"
    if not path.is_file():
        known = sorted(file.name[:-5] for file in path.parent.iterdir() if file.name.endswith(".toml"))  # type: ignore[attr-defined]
        raise SettingsError(f"There is no language {language!r}. Expected one of: {', '.join(known)}.")
    return Words(tomllib.loads(path.read_text(encoding="utf-8")))
