"""Settings: any frozen dataclass, read from TOML (unknown keys refused) and written beside what it made."""

from __future__ import annotations

import dataclasses
import math
import tomllib
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

from roomread.errors import SettingsError
from roomread.outside import read_text

Settings = TypeVar("Settings")
MOST = 1e15  # no number of any setting is larger, save infinity


def read_settings(kind: type[Settings], path: Path) -> Settings:
    """Return the settings that a TOML file names; what it leaves out keeps its default.

    Args:
        kind: a dataclass; a field that is itself a dataclass is a table of the file.
        path: the TOML file.

    Raises:
        SettingsError: the file is missing, is no TOML, names an unknown key, or holds a value that does not fit.
    """
    try:
        values = tomllib.loads(read_text(path))
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}. Expected: a TOML file with settings.") from error
    except (ValueError, RecursionError) as error:  # of TOML, of UTF-8, of a number too long, of too many brackets
        raise SettingsError(f"{path} is not valid TOML: {error}.") from error
    return make_settings(kind, values, str(path))


def make_settings(kind: type[Settings], values: dict[str, Any], where: str) -> Settings:
    """Return the settings that nested dictionaries name, as `read_settings` does for a file.

    Raises:
        SettingsError: an unknown key, or a value that does not fit; `where` stands in front of the message.
    """
    hints = typing.get_type_hints(kind)
    if unknown := sorted(set(values) - set(hints)):
        raise SettingsError(f"{where}: unknown setting {unknown[0]!r}. Expected one of: {', '.join(sorted(hints))}.")
    made = {}
    for key, value in values.items():
        hint = hints[key]
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            if not isinstance(value, dict):
                raise SettingsError(f"{where}: {key!r} is a table. Received: {value!r}.")
            made[key] = make_settings(hint, value, f"{where} [{key}]")
        else:
            made[key] = _fit(hint, value, f"{where}: {key}")
    try:
        return kind(**made)
    except (ValueError, TypeError) as error:
        raise SettingsError(f"{where}: {error}") from error


def _fit(hint: Any, value: Any, where: str) -> Any:
    """Return the value as the field's type wants it: lists as tuples, whole numbers as floats, texts as paths."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _fit(next(kind for kind in inner if kind is not type(None)), value, where)
    if origin is tuple:
        if not isinstance(value, list):
            raise SettingsError(f"{where} is a list. Received: {value!r}.")
        if inner[-1] is not Ellipsis and len(value) != len(inner):
            raise SettingsError(f"{where} is a list of {len(inner)}. Received: {len(value)}.")
        return tuple(_fit(inner[0], item, where) for item in value)
    if isinstance(value, int | float) and not (abs(value) <= MOST or value == math.inf):  # NaN is neither
        received = f"{value:g}" if isinstance(value, float) else "a longer one"  # which could have any number of digits
        raise SettingsError(f"{where} must be a number that is known, and of at most {MOST:g}. Received: {received}.")
    if hint is float and type(value) is int:
        return float(value)
    if hint is Path and type(value) is str and "\0" not in value:
        return Path(value)
    if type(value) is not hint:
        raise SettingsError(f"{where} must be of type {hint.__name__}. Received: {value!r}.")
    return value


def as_dict(settings: Any) -> dict[str, Any]:
    """Return settings as nested dictionaries that JSON and TOML can hold; a field that is None is left out."""
    return dataclasses.asdict(
        settings, dict_factory=lambda pairs: {name: _plain(value) for name, value in pairs if value is not None}
    )


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value
