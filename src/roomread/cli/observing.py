"""The options that say how frames are looked at, the same for every command that looks."""

from __future__ import annotations

import argparse
import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from roomread.errors import SettingsError

if TYPE_CHECKING:
    from roomread.app.observing import ObserveSettings

    Settings = TypeVar("Settings", bound=ObserveSettings)


def add_looking(command: argparse.ArgumentParser) -> None:
    """Add the options of finding faces."""
    command.add_argument("--settings", type=Path, metavar="FILE", help="TOML with any setting; options go before it")
    command.add_argument("--threads", type=int, metavar="N", help="processor threads; default: 2 or fewer")
    command.add_argument("--device", choices=("cpu", "cuda"), help="what the networks run on; default: cpu")
    command.add_argument(
        "--smallest-face", type=float, metavar="PX",
        help="find faces down to this many pixels of the picture; default: about 14 of 1280 across",
    )  # fmt: skip
    command.add_argument(
        "--mask", type=_zone, action="append", metavar="ZONE",
        help="never look there: left,top,right,bottom or x,y,x,y,x,y... in shares of the picture, 0 to 1; repeatable",
    )  # fmt: skip
    command.add_argument(
        "--mask-px", type=_zone, action="append", metavar="ZONE", help="the same in pixels of the picture"
    )


def add_reading(command: argparse.ArgumentParser) -> None:
    """Add the options of reading faces."""
    command.add_argument("--model", type=Path, metavar="FILE", help="expression model (ONNX with its card)")
    command.add_argument(
        "--signals", type=float, metavar="N",
        help="readings of head, eyes and mouth per second and seat; 0: none; default: 2",
    )  # fmt: skip


def add_fps(command: argparse.ArgumentParser) -> None:
    """Add the option of how many frames are looked at."""
    command.add_argument("--fps", type=_fps, metavar="N", help="frames analysed per second, or native; default: 5")


def settings_of(kind: type[Settings], options: argparse.Namespace, own: dict[str, Any]) -> Settings:
    """Return the settings of a file, if one is named, with what the command line says in its place.

    Args:
        kind: which settings.
        options: of the command line, from `add_looking` and `add_reading`.
        own: settings that only this command has, nested as they are; None where nothing was said.

    Raises:
        SettingsError: the file cannot be used, or a value does not fit.
    """
    from roomread.config import read_settings

    base = kind() if options.settings is None else read_settings(kind, options.settings)
    said = {
        "threads": options.threads,
        "device": options.device,
        "model": getattr(options, "model", None),
        "signals": {"rate": getattr(options, "signals", None)},
        "detector": {"smallest_face": options.smallest_face},
        "masks": {
            "fractions": base.masks.fractions + tuple(options.mask or ()),
            "pixels": base.masks.pixels + tuple(options.mask_px or ()),
        },
    }
    try:
        made: Settings = _replaced(base, said | own)
    except ValueError as error:
        raise SettingsError(str(error)) from error
    return made


def _replaced(base: Any, said: dict[str, Any]) -> Any:
    """Return settings with what was said in its place, at any depth."""
    known = {name: value for name, value in said.items() if value is not None}
    return replace(
        base,
        **{
            name: _replaced(getattr(base, name), value) if isinstance(value, dict) else value
            for name, value in known.items()
        },
    )


def _fps(text: str) -> float:
    try:
        return math.inf if text == "native" else float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"expected a number or the word native. Received: {text!r}.") from error


def _zone(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(number) for number in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"expected numbers with commas between them. Received: {text!r}.") from error
