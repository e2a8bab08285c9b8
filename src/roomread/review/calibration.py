"""A mapping refitted to a class: made from lessons and their codes, frozen in a file, read back as a mapping."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from roomread.engagement import fit, measures
from roomread.engagement.mappings import Mapping, Score
from roomread.engagement.ordinal import OrdinalModel
from roomread.errors import CodesError, SettingsError
from roomread.output import check_new, write_whole
from roomread.outside import read_text
from roomread.review.agreement import Glances, figures, glance_scores, join, plain
from roomread.review.codes import Words, read_codes
from roomread.store.privacy import Gate
from roomread.types import Array

FORM = "roomread calibration 1"  # another number where an older reader would misread the file
WORDS = (
    ("spearman", "rank correlation"),
    ("lowest", "area under the curve of the lowest level"),
    ("highest", "of the highest level"),
    ("quadratic", "quadratic kappa"),
    ("off", "mean distance in levels"),
)
MOST_SEATS = 1_000_000  # of a lesson; keeps the seats of several lessons apart


def calibrate(lessons: Sequence[tuple[Gate, Sequence[Path]]], mapping: Mapping, words: Words | None) -> dict[str, Any]:
    """Return a mapping refitted to codes, with what it was worth at seats left out, as it is written to a file.

    Args:
        lessons: each with the files of its codes.
        mapping: what is refitted.
        words: which level a word of the codes stands for.

    Raises:
        PrivacyError: single seats of a lesson must not be seen.
        CodesError: codes cannot be read, do not fit their lesson, are of the class as a whole, or are too few.
    """
    parts = [(gate, join(gate, read_codes(paths, words))) for gate, paths in lessons]
    if any(glances.whole_class for _, glances in parts):
        raise CodesError(
            "The codes are of the class as a whole. Expected: codes of single seats, some of which are left out to "
            "judge by. Received: class."
        )
    scores = _scores(parts, mapping.score)
    known = ~np.isnan(scores)
    levels = np.concatenate([glances.levels() for _, glances in parts])[known]
    means = np.concatenate([glances.means() for _, glances in parts])[known]
    seats = np.concatenate([glances.seats + number * MOST_SEATS for number, (_, glances) in enumerate(parts)])[known]
    fit.check_enough(levels, seats)
    judged, ranked = fit.cross_validate(
        scores[known], levels, seats, lambda model: _scores(parts, fit.refitted(mapping.score, model))[known]
    )
    model, ends = fit.fit_curve(scores[known], levels), (0, int(levels.max()))
    curve = model.curves[fit.SCORE]
    return {
        "form": FORM,
        "mapping": mapping.name,
        "formula": mapping.formula,
        "levels": len(model.cuts) + 1,
        "curve": {"knots": curve.knots.tolist(), "values": curve.values.tolist()},
        "cuts": model.cuts.tolist(),
        "figures": {
            "before": plain(figures(scores[known], levels, means, seats, ends)),
            "after": plain(figures(judged, levels, means, seats, ends, ranked)),
        },
        "n": {
            "glances": len(levels),
            "of_each_level": np.bincount(levels).tolist(),
            "missing": int((~known).sum()),
            "seats": len(np.unique(seats)),
            "lessons": len(parts),
            "observers": len({name for _, glances in parts for name in glances.observers}),
        },
        "settings": {
            **dataclasses.asdict(fit.SETTINGS),
            "folds": fit.FOLDS,
            "seed": measures.SEED,
            "bootstrap_draws": measures.DRAWS,
            "levels_map": None if words is None else dict(words),
        },
        "lessons": [{"name": gate.lesson.name, "made_with": gate.lesson.made_with} for gate, _ in lessons],
        "codes": [_hashed(path) for _, paths in lessons for path in paths],
    }


def _hashed(path: Path) -> dict[str, str]:
    return {"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def _scores(parts: Sequence[tuple[Gate, Glances]], score: Score) -> Array:
    """Return the score of every glance of every lesson."""
    return np.concatenate([glance_scores(gate, glances, score) for gate, glances in parts])


def write_calibration(path: Path, found: MappingOf[str, Any], version: str) -> Path:
    """Write what `calibrate` returned, with the day and the package's version, and return the path.

    Raises:
        SettingsError: the name would not be taken for a mapping.
        OutputError: it is there already, or cannot be written.
    """
    check_name(path)
    text = json.dumps({**found, "date": datetime.now(UTC).date().isoformat(), "roomread": version}, indent=1) + "\n"
    write_whole({path: lambda new: new.write_text(text, encoding="utf-8")})
    return path


def check_name(path: Path) -> None:
    """Refuse a file name that would later not be taken for a mapping, and one that something has.

    Raises:
        SettingsError: it does not end in .json.
        OutputError: something is there already.
    """
    if path.suffix != ".json":
        raise SettingsError(f"{path} would not be taken for a mapping. Expected: a name ending in .json.")
    check_new(path, "and lessons may have been read by it")


def read_calibration(path: Path, bases: MappingOf[str, Mapping]) -> Mapping:
    """Return the mapping that a file holds.

    Args:
        path: as `write_calibration` wrote it.
        bases: the mappings that may have been refitted, by name.

    Raises:
        SettingsError: the file is missing, damaged, or of a mapping or formula that this version does not have.
    """
    try:
        found = json.loads(read_text(path))
        base, formula, model = bases.get(found["mapping"]), found["formula"], _model(found)
        source = f"refitted on {found['date']} to observers' codes of {found['n']['lessons']} lesson(s)"
        validity = _validity(found)
    except OSError as error:
        raise SettingsError(
            f"The mapping {path} cannot be read. Expected: a file of `roomread calibrate`. "
            f"Received: {error.strerror or error}."
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingsError(
            f"The mapping {path} is damaged. Expected: a file as `roomread calibrate` wrote it. Received: "
            f"{f'no {error}' if isinstance(error, KeyError) else str(error).rstrip('.')}."
        ) from error
    if base is None or base.formula != formula:
        raise SettingsError(
            f"The mapping {path} is of another version. Expected: one of {', '.join(bases)}, by its present formula. "
            f"Received: {found['mapping']}, {formula}."
        )
    return Mapping(
        name=f"{base.name}, refitted ({path.stem})",
        score=fit.refitted(base.score, model),
        formula=f"expected level over the highest, by a fitted curve of: {base.formula}",
        source=f"{base.source}; {source}",
        validity=validity,
        signals=base.signals,
        coefficients=f"{base.coefficients} {model.fingerprint()}",
    )


def _model(found: MappingOf[str, Any]) -> OrdinalModel:
    """Return the curve and the cuts of a file.

    Raises:
        ValueError, KeyError, TypeError: they are not as `calibrate` makes them.
    """
    if found["form"] != FORM:
        raise ValueError(f"form {found['form']!r}")
    knots, values, cuts = (
        np.array(numbers, np.float64) for numbers in (found["curve"]["knots"], found["curve"]["values"], found["cuts"])
    )
    if cuts.shape != (found["levels"] - 1,) or not len(cuts) or not (np.diff(cuts) > 0).all():
        raise ValueError(f"cuts {found['cuts']} of {found['levels']} levels")
    if not all(np.isfinite(numbers).all() for numbers in (knots, values, cuts)):
        raise ValueError("a number that is none")
    return fit.one_curve(knots, values, cuts)


def _validity(found: MappingOf[str, Any]) -> str:
    """Return what was cross-validated, in words."""
    n, figures = found["n"], found["figures"]
    told = (
        f"{words} {_told(figures['after'][name])}, before {_told(figures['before'][name])}" for name, words in WORDS
    )
    return (
        f"Refitted to {n['glances']} glances at {n['seats']} seats of {n['lessons']} lesson(s), coded by "
        f"{n['observers']} observer(s) in {found['levels']} levels, and judged at seats that were left out of the "
        f"fitting ({found['settings']['folds']} folds), with 95% intervals by seat: {'; '.join(told)}. "
        "It holds for this class, camera and these observers; of others nothing was measured."
    )


def _told(figure: MappingOf[str, Any]) -> str:
    if figure["value"] is None:
        return "not known"
    if figure["low"] is None:
        return f"{figure['value']:.2f}"
    return f"{figure['value']:.2f} ({figure['low']:.2f} to {figure['high']:.2f})"
