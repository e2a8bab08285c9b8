"""Settings from TOML, and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from roomread.config import as_dict, make_settings, read_settings
from roomread.errors import SettingsError


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    level: float = 0.5
    lamps: tuple[str, ...] = ("left", "right")

    def __post_init__(self) -> None:
        if not 0 <= self.level <= 1:
            raise ValueError(f"level must lie between 0 and 1. Received: {self.level}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    name: str = "room"
    rows: int = 3
    width: float = 6.0
    open: bool = True
    limit: int | None = None
    light: Light = field(default_factory=Light)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needy:
    rows: int


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "room.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_what_a_file_leaves_out_keeps_its_default(tmp_path: Path) -> None:
    assert read_settings(Room, write(tmp_path, "")) == Room()
    changed = read_settings(Room, write(tmp_path, 'rows = 5\n[light]\nlamps = ["one"]\n'))
    assert changed == Room(rows=5, light=Light(lamps=("one",)))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({"width": 4}, Room(width=4.0), id="a whole number where a fraction may stand"),
        pytest.param({"limit": 7}, Room(limit=7), id="a value that may be left out"),
        pytest.param({"open": False}, Room(open=False), id="a switch"),
        pytest.param({"light": {"lamps": []}}, Room(light=Light(lamps=())), id="an empty list"),
    ],
)
def test_a_value_becomes_what_its_field_wants(values: dict[str, Any], expected: Room) -> None:
    made = make_settings(Room, values, "here")
    assert made == expected
    assert type(made.width) is float


@pytest.mark.parametrize(
    ("values", "named"),
    [
        pytest.param({"rwos": 3}, "unknown setting 'rwos'. Expected one of: light, limit, name", id="unknown"),
        pytest.param({"light": {"levle": 1}}, r"\[light\]: unknown setting 'levle'", id="unknown in a table"),
        pytest.param({"rows": 3.5}, "rows must be of type int. Received: 3.5", id="fraction for a whole number"),
        pytest.param({"rows": "3"}, "rows must be of type int", id="text for a number"),
        pytest.param({"width": float("nan")}, "a number that is known, .* Received: nan", id="no number"),
        pytest.param({"width": -1e16}, r"of at most 1e\+15. Received: -1e\+16", id="too large"),
        pytest.param({"rows": 16**9000}, "Received: a longer one", id="more digits than can be written"),
        pytest.param({"rows": True}, "rows must be of type int", id="switch for a number"),
        pytest.param({"width": True}, "width must be of type float", id="switch for a fraction"),
        pytest.param({"open": 1}, "open must be of type bool", id="number for a switch"),
        pytest.param({"limit": "all"}, "limit must be of type int", id="text for a number that may be left out"),
        pytest.param({"light": 3}, "'light' is a table. Received: 3", id="number for a table"),
        pytest.param({"light": {"lamps": "left"}}, "lamps is a list. Received: 'left'", id="text for a list"),
        pytest.param({"light": {"lamps": [1]}}, "lamps must be of type str", id="wrong thing in a list"),
        pytest.param({"light": {"level": 2}}, "level must lie between 0 and 1", id="outside its range"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_its_name(values: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError, match=f"^here.*{named}"):
        make_settings(Room, values, "here")


def test_a_setting_without_a_default_must_be_named() -> None:
    with pytest.raises(SettingsError, match=r"^here: .*rows"):
        make_settings(Needy, {}, "here")


@pytest.mark.parametrize(
    "text",
    [pytest.param("rows = ", id="no value"), pytest.param(b"name = '\xff\xfe'", id="no UTF-8")],
)
def test_a_file_that_is_no_toml_is_refused_by_its_path(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises(SettingsError, match=r"room\.toml is not valid TOML"):
        read_settings(Room, write(tmp_path, text))


@pytest.mark.parametrize("name", [pytest.param("missing.toml", id="missing"), pytest.param("", id="a folder")])
def test_a_file_that_cannot_be_read_is_refused_by_its_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match=r"cannot be read: .* Expected: a TOML file"):
        read_settings(Room, tmp_path / name)


@pytest.mark.parametrize(
    "settings",
    [Room(), Room(name="ü", rows=1, limit=3, light=Light(level=0.25, lamps=()))],
    ids=["defaults", "everything set"],
)
def test_settings_come_back_from_what_is_written(settings: Room) -> None:
    assert make_settings(Room, as_dict(settings), "here") == settings


def test_what_is_none_is_left_out_and_tuples_become_lists() -> None:
    assert as_dict(Room()) == {
        "name": "room",
        "rows": 3,
        "width": 6.0,
        "open": True,
        "light": {"level": 0.5, "lamps": ["left", "right"]},
    }
