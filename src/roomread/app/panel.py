"""Which mappings there are, and which one is taken where nobody names one."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from roomread.engagement.glance import INPUTS, Glance, Part, glance_mapping
from roomread.engagement.mappings import PUBLISHED, Mapping
from roomread.engagement.ordinal import FitSettings, OrdinalModel
from roomread.errors import ModelError, SettingsError
from roomread.modelcard import WEIGHTS
from roomread.review.calibration import read_calibration
from roomread.types import Lesson

GLANCE = WEIGHTS / "research" / "glance.json"  # stands apart: fitted on data that is for research only
WITHOUT_SIGNALS = "sharma"  # the default where the glance cannot be read


def panel() -> dict[str, Mapping]:
    """Return every mapping by its name: the glance, where its coefficients lie, and the published formulas.

    Raises:
        ModelError: its file is damaged.
    """
    glance = open_glance()
    own = () if glance is None else (glance_mapping(glance),)
    return {mapping.name: mapping for mapping in (*own, *PUBLISHED)}


def find_mapping(name: str | None = None, signals: bool = True) -> Mapping:
    """Return a mapping by its name, or by the path of a file of `roomread calibrate`, which ends in .json.

    Args:
        name: see `named_mapping`.
        signals: whether heads, eyes and mouths were read.

    Raises:
        SettingsError: there is none of that name, or the file cannot be used.
        ModelError: the file of the glance is damaged.
    """
    if name is not None and name.endswith(".json"):
        return read_calibration(Path(name), panel())
    return named_mapping(name, signals)


def named_mapping(name: str | None, signals: bool) -> Mapping:
    """Return a mapping of the panel by its name; a file is never read, so that a page may ask.

    Args:
        name: None takes the default one: the glance, and where that is missing or no signals were read, `sharma`.
        signals: whether heads, eyes and mouths were read.

    Raises:
        SettingsError: there is none of that name.
        ModelError: the file of the glance is damaged.
    """
    mappings = panel()
    if name is None:
        name = "glance" if signals and "glance" in mappings else WITHOUT_SIGNALS
    if name not in mappings:
        raise SettingsError(f"There is no mapping {name[:80]!r}. Expected one of: {', '.join(mappings)}.")
    return mappings[name]


def mapping_of(lesson: Lesson, name: str | None = None) -> Mapping:
    """Return a mapping as `find_mapping` does, None the default one for what was read in a lesson.

    Raises:
        SettingsError: there is none of that name.
        ModelError: the file of the glance is damaged.
    """
    return find_mapping(name, signals="mesh" in lesson.made_with)


@lru_cache(maxsize=1)
def open_glance(path: Path = GLANCE) -> Glance | None:
    """Return the glance, read once; None where its file is not there.

    Raises:
        ModelError: the file is damaged.
    """
    if not path.exists():
        return None
    try:
        return Glance(tuple(_part(plain) for plain in json.loads(path.read_text(encoding="utf-8"))["parts"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"The file {path} holds no glance model: {error!r}. Copy it from its origin, or remove it to do without."
        ) from error


def _part(plain: dict[str, Any]) -> Part:
    model = OrdinalModel.from_dict({**plain, "cuts": plain["cuts"][plain["data"]]})
    if tuple(model.curves) != INPUTS:
        raise ValueError(f"its inputs differ. Expected: {', '.join(INPUTS)}")
    return Part(
        data=plain["data"],
        people=int(plain["people"]),
        n=int(plain["n"]),
        sha256=plain["sha256"],
        model=model,
        settings=FitSettings(**plain["settings"]),
        least=float(plain["least"]),
    )
