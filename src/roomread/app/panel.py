"""Which mappings there are, and which one is taken where nobody names one."""

from __future__ import annotations

from pathlib import Path

from roomread.engagement.mappings import PUBLISHED, Mapping
from roomread.errors import SettingsError
from roomread.review.calibration import read_calibration

DEFAULT_MAPPING = "sharma"


def panel() -> dict[str, Mapping]:
    """Return every mapping by its name, the default one first."""
    mappings = {mapping.name: mapping for mapping in PUBLISHED}
    return {DEFAULT_MAPPING: mappings[DEFAULT_MAPPING], **mappings}


def find_mapping(name: str | None = None) -> Mapping:
    """Return a mapping by its name, or from a file of `roomread calibrate`; None takes the default one.

    Raises:
        SettingsError: there is none of that name, or the file cannot be used.
    """
    mappings = panel()
    if name is not None and name.endswith(".json"):
        return read_calibration(Path(name), mappings)
    name = DEFAULT_MAPPING if name is None else name
    if name not in mappings:
        raise SettingsError(f"There is no mapping {name!r}. Expected one of: {', '.join(mappings)}; or a file .json.")
    return mappings[name]
