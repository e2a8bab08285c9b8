"""How valid each engagement mapping is, on faces whose engagement people graded.

    python benchmarks/engagement.py --data daisee.parquet [--draws 500] [--small 56] [--json]

The file has the columns `image` (encoded bytes), `subject` and `engagement` (levels from 0, low to high). Each face is
looked for in its picture and read as in a lesson; where none is found the picture is missing, and counted. Everything
is of the glance: one picture, no time line.

The published formulas are read as they stand. The glance model is cross-validated by person on a file that one of its
parts was fitted on (by its hash), and plainly read on any other, by the part with as many levels; each part is also
plainly read on files that it was not fitted on, whatever their levels. Told are the area under the curve of the lowest
level(s) against the rest (the lower half: one of three, two of four) and of the highest against the rest, balanced
accuracy, quadratic kappa, Spearman's correlation, for the glance model also the calibration error of its answers and
how often its sets of levels hold the truth, beside the size of sets that the frequencies of the levels alone would
give. A formula's answers are its scores cut at the frequencies of the levels.

Controls: the glance model fitted to shuffled levels (mean of several shuffles, and where 95% of them lie), to what is
known of a picture without looking at the face (brightness, contrast, detail, file size), what it says where only the
pose is known, as of faces too small for eyes, and of pictures reduced to a height (--small, 0: none), as faces of that
size in a class. Other intervals: 95%, bootstrap by person.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from roomread.app.graded import STATISTICS, GradedPictures, read_graded
from roomread.app.panel import open_glance, panel
from roomread.engagement import measures
from roomread.engagement.glance import (
    COVERAGE,
    MOST_FOLDS,
    Part,
    cross_validated,
    glance_inputs,
    least_probability,
    level_sets,
)
from roomread.engagement.ordinal import Graded, fit, with_every_level
from roomread.learn.metrics import calibration_curve, calibration_error
from roomread.types import SIGNALS, Array

SHUFFLES = 6
BINS = 10  # of the calibration error; there are fewer levels and faces than in expressions
POSE = ("presence", "yaw", "pitch", "roll")
Figures = dict[str, float]


def by_statistics(pictures: GradedPictures, part: Part) -> tuple[Array, Array]:
    """Return what the same kind of model says that looks at the picture's statistics alone, as `cross_validated`."""
    folds, given = measures.folds_of(pictures.people, MOST_FOLDS), pictures.statistics
    n_levels = int(pictures.levels.max()) + 1
    likely, latent = np.empty((len(folds), n_levels)), np.empty(len(folds))
    for fold in np.unique(folds):
        out = folds == fold
        graded = Graded(given[~out], pictures.levels[~out], np.ones(int((~out).sum())))
        model = fit(STATISTICS, with_every_level(graded, n_levels), part.settings)
        likely[out] = model.probabilities(given[out])
        latent[out] = model.latent(given[out]) - model.latent(given[~out]).mean()
    return likely, latent


def cut_at_frequencies(scores: Array, levels: Array) -> Array:
    """Return levels for scores, so that each level is as frequent as among the true ones: int64 (n,)."""
    shares = np.bincount(levels).cumsum()[:-1] / len(levels)
    answers: Array = np.searchsorted(np.quantile(scores, shares), scores, side="left")
    return answers


def balanced_accuracy(levels: Array, answers: Array) -> float:
    """Return the mean over the levels of the share that was answered rightly, 0 to 1."""
    return float(np.mean([(answers[levels == level] == level).mean() for level in np.unique(levels)]))


def figures_of(scores: Array, answers: Array, levels: Array) -> Figures:
    """Return every figure of one mapping."""
    n = int(levels.max()) + 1
    return {
        "lowest": measures.area_under_curve(-scores, levels < n // 2),
        "highest": measures.area_under_curve(scores, levels == n - 1),
        "balanced_accuracy": balanced_accuracy(levels, answers),
        "quadratic_kappa": measures.cohens_kappa(levels, answers, n, quadratic=True),
        "spearman": measures.spearman(scores, levels),
    }


def figures_of_levels(likely: Array, latent: Array, levels: Array) -> Figures:
    """Return every figure of probabilities of levels and of what ranks the pictures."""
    found = figures_of(latent, likely.argmax(axis=1), levels)
    return {**found, "calibration_error": calibration_error(calibration_curve(likely, levels, BINS))}


def with_intervals(figure: Any, parts: tuple[Array, ...], people: Array, draws: int) -> dict[str, Any]:
    """Return figures of parallel arrays with their intervals, all from the same draws of people."""
    drawn = [list(figure(*(part[rows] for part in parts)).values()) for rows in measures.drawn_groups(people, draws)]
    ends = np.nanquantile(np.array(drawn), [0.025, 0.975], axis=0).round(3).T.tolist()
    whole = figure(*parts)
    return {name: {"value": round(whole[name], 3), "interval": end} for name, end in zip(whole, ends, strict=True)}


def sets_of(likely: Array, levels: Array, people: Array, part: Part, fitted: bool) -> dict[str, float]:
    """Return how often the sets of levels hold the truth, how large they are, and how large without looking."""
    least = np.full(len(levels), part.least)
    if fitted:  # found on the people of the other folds
        folds = measures.folds_of(people, MOST_FOLDS)
        for fold in np.unique(folds):
            out = folds == fold
            least[out] = least_probability(likely[~out], levels[~out])
    sets = level_sets(likely, least[:, None])
    shares = np.sort(np.bincount(levels))[::-1] / len(levels)
    before = np.concatenate([[0], shares.cumsum()])
    whole = int(np.searchsorted(before, COVERAGE, side="right")) - 1  # levels taken always, then one in some cases
    return {
        "hold_the_truth": round(float(sets[np.arange(len(levels)), levels].mean()), 3),
        "mean_size": round(float(sets.sum(axis=1).mean()), 3),
        "size_by_frequencies": round(whole + float((COVERAGE - before[whole]) / shares[whole]), 3),
    }


def shuffled(pictures: GradedPictures, part: Part) -> dict[str, Any]:
    """Return every figure for levels that were shuffled, the mean over shuffles and where 95% of them lie."""
    found = []
    for seed in range(SHUFFLES):
        levels = np.random.default_rng(seed).permutation(pictures.levels)
        said = cross_validated(pictures.signals, levels, pictures.people, part.settings)
        found.append(figures_of_levels(*said, levels))
    told = {}
    for name in found[0]:
        values = np.array([figures[name] for figures in found])
        reach = 1.96 * values.std(ddof=1)
        told[name] = {"value": values.mean(), "interval": [values.mean() - reach, values.mean() + reach]}
    return {
        name: {"value": round(float(each["value"]), 3), "interval": [round(float(end), 3) for end in each["interval"]]}
        for name, each in told.items()
    }


def said(pictures: GradedPictures, part: Part, fitted: bool, shown: Array | None = None) -> tuple[Array, Array]:
    """Return how likely each level is and what ranks the pictures, by models that were not fitted on these people."""
    if fitted:
        return cross_validated(pictures.signals, pictures.levels, pictures.people, part.settings, shown)
    shown = pictures.signals if shown is None else shown
    return part.probabilities(shown), part.model.latent(glance_inputs(shown))


def measure(pictures: GradedPictures, small: GradedPictures | None, draws: int) -> dict[str, Any]:
    """Return all figures of a file; `small` are the same pictures, reduced."""
    found = ~np.isnan(pictures.signals[:, 0])
    seen = pictures[found]
    levels, people = seen.levels, seen.people
    told: dict[str, Any] = {
        "data": pictures.name,
        "measures": "the glance, one picture each",
        "n": len(levels),
        "without_face": int((~found).sum()),
        "people": len(np.unique(people)),
        "levels": np.bincount(levels).tolist(),
        "without_face_by_level": np.bincount(pictures.levels[~found], minlength=int(levels.max()) + 1).tolist(),
        "mappings": {},
    }
    for name, mapping in panel().items():
        scores = mapping.score(seen.emotions, seen.signals)
        known = ~np.isnan(scores)
        answers = cut_at_frequencies(scores[known], levels[known])
        parts = scores[known], answers, levels[known]
        told["mappings"][name] = {"n": int(known.sum()), **with_intervals(figures_of, parts, people[known], draws)}
    glance = open_glance()
    for part in glance.parts if glance else ():
        if part.sha256 != pictures.sha256:
            latent = part.model.latent(glance_inputs(seen.signals))
            parts = latent, cut_at_frequencies(latent, levels), levels
            row = with_intervals(figures_of, parts, people, draws)
            told["mappings"][f"glance of {part.data}"] = {"n": len(levels), **row}
    fitting = [part for part in glance.parts if part.levels == levels.max() + 1] if glance else []
    if not fitting:
        return told
    part = next((part for part in fitting if part.sha256 == pictures.sha256), fitting[0])
    fitted = part.sha256 == pictures.sha256
    likely, latent = said(seen, part, fitted)
    told["mappings"]["glance"] = {
        "n": len(levels),
        "part": part.data,
        "cross_validated": fitted,
        **with_intervals(figures_of_levels, (likely, latent, levels), people, draws),
        "sets": sets_of(likely, levels, people, part, fitted),
    }
    pose = np.where(np.isin(SIGNALS, POSE), seen.signals, np.nan)
    controls: dict[str, tuple[Array, ...]] = {
        "picture statistics": (*by_statistics(seen, part), levels, people),
        "pose only": (*said(seen, part, fitted, pose), levels, people),
    }
    if small is not None:
        reduced = small.signals[found]
        there = ~np.isnan(reduced[:, 0])
        told["found_when_reduced"] = int(there.sum())
        every = (*said(seen, part, fitted, reduced), levels, people)
        controls["reduced pictures"] = tuple(part[there] for part in every)
    told["controls"] = {
        "shuffled levels": shuffled(seen, part),
        **{name: with_intervals(figures_of_levels, parts[:3], parts[3], draws) for name, parts in controls.items()},
    }
    return told


def show(told: dict[str, Any]) -> None:
    """Print for a person."""
    print(f"{told['data']}: {told['n']} faces of {told['people']} people; {told['without_face']} not found")
    rows = {**told["mappings"], **{f"control: {name}": row for name, row in told.get("controls", {}).items()}}
    for name, row in rows.items():
        how = {True: " (cross-validated by person)", False: " (fitted on other pictures)"}.get(
            row.get("cross_validated"), ""
        )
        print(f"\n{name}{how}")
        for what, figure in row.items():
            if isinstance(figure, dict) and "value" in figure:
                low, high = figure["interval"]
                print(f"  {what:20} {figure['value']:6.3f} ({low:.3f} to {high:.3f})")
        if "sets" in row:
            print("  sets of levels       " + ", ".join(f"{what} {value}" for what, value in row["sets"].items()))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--small", type=int, default=56, metavar="HEIGHT", help="pixels; default: 56")
    parser.add_argument("--draws", type=int, default=500, help="of the bootstrap")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    print(f"reading {options.data.name}: a few minutes", file=sys.stderr)
    small = read_graded(options.data, height=options.small) if options.small else None
    told = measure(read_graded(options.data), small, options.draws)
    print(json.dumps(told, indent=2)) if options.json else show(told)


if __name__ == "__main__":
    main()
