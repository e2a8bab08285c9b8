"""The report of an evaluation: a single HTML file that opens offline, and every number as JSON beside it."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from roomread import style
from roomread.learn import evaluation_figures as figures
from roomread.learn import metrics
from roomread.learn.evaluation import BLUR, FERPLUS, SIZE, WITHOUT, Evaluation, rounded
from roomread.output import write_whole
from roomread.page import page_environment
from roomread.types import EMOTIONS

# What a split is, and whether it was used for choosing; the page opens with it.
SPLITS = {
    "Training": (
        "The Training part of FER-2013, on which models are fitted.",
        "Used for fitting. These figures tell what a model remembers, not how good it is on other faces.",
    ),
    "training": (
        "The Training part of FER-2013 without the validation faces.",
        "Used for fitting. These figures tell what a model remembers, not how good it is on other faces.",
    ),
    "validation": (
        "The data's own, or else a tenth of the Training part, set apart by class; of FER-2013's rows with "
        "near-duplicates kept together, by a list that comes with roomread.",
        "Used for choosing: epoch, settings and thresholds of roomread's own models were picked on the faces of that "
        "list, so their figures there are somewhat too good. Of FER-2013 in class folders another tenth is set apart, "
        "most of which the published model was fitted on. Other models may have been fitted on any of them.",
    ),
    "PublicTest": (
        "FER-2013's public test part.",
        "Not used by roomread for fitting, and read for frozen models alone; one of them was not shipped for what it "
        "said, see benchmarks/results/publictest-log.md. A model from elsewhere may have been chosen on it.",
    ),
    "PrivateTest": (
        "FER-2013's private test part.",
        "Not used by roomread for fitting or choosing. A model from elsewhere may have been chosen on it.",
    ),
    "test": (
        "The test part that the data's folders name so; of FER-2013 its public and its private test part together.",
        "Not used by roomread for fitting. A model from elsewhere may have been chosen on it, as the original "
        "project's was watched on it.",
    ),
}
UNKNOWN_SPLIT = (
    "A split that the data set itself names so.",
    "Whether it was used for fitting or choosing is not known here.",
)

# The kinds of parts whose rows stand in tables of their own: head and explanation.
PARTS = {
    WITHOUT: (
        "With and without the rows to drop",
        "The rows are those of the table that was given, such as the audit's blanks, duplicates and contradictions. "
        "The answers are the same; only the faces that are counted differ.",
    ),
    FERPLUS: (
        "Agreement with FER+",
        "Ten people tagged every face again for FER+. Counted here are the faces of which more than half of all votes "
        "name the same one of the seven expressions, with that expression as the label.",
    ),
}
WORSE = (SIZE, BLUR)


def write_evaluation(evaluations: Sequence[Evaluation], out: Path) -> Path:
    """Write the report of one model or of several side by side, and JSON beside it; return the report's path.

    Args:
        evaluations: from `evaluate`, all of one split.
        out: the HTML file; the numbers go to the same name with the ending .json. Older files are replaced only by
            whole new ones.

    Raises:
        ValueError: there is no evaluation, or they are of different faces.
        OutputError: the files cannot be written.
    """
    page = evaluation_html(evaluations)
    numbers = json.dumps(numbers_of(evaluations), ensure_ascii=False, allow_nan=False)
    write_whole(
        {
            out: lambda path: path.write_text(page, encoding="utf-8", errors="replace", newline="\n"),
            out.with_suffix(".json"): lambda path: path.write_text(numbers + "\n", encoding="utf-8", newline="\n"),
        }
    )
    return out


def numbers_of(evaluations: Sequence[Evaluation]) -> dict[str, Any]:
    """Return every number of a report, the points of its curves too, as plain values that JSON can hold."""
    what, used = SPLITS.get(evaluations[0].split, UNKNOWN_SPLIT)
    models = []
    for each in evaluations:
        roc = {
            name: dict(zip(("false_positive_rate", "true_positive_rate"), curve.round(5).tolist(), strict=True))
            for name, curve in zip(EMOTIONS, each.curves.roc, strict=True)
        }
        calibration = [
            {"confidence": rounded(sure), "accuracy": rounded(right), "n": int(n)}
            for sure, right, n in each.curves.calibration.tolist()
        ]
        models.append({**each.as_dict(), "roc": roc, "calibration": calibration})
    split = {"name": evaluations[0].split, "n": evaluations[0].n, "what": what, "used_for": used}
    return {"split": split, "models": models}


def evaluation_html(evaluations: Sequence[Evaluation]) -> str:
    """Return the report as one HTML page that needs nothing from outside.

    Raises:
        ValueError: see `write_evaluation`.
    """
    _check(evaluations)
    environment = page_environment("roomread.learn", three, style.percent, thousands, shade)
    first = evaluations[0]
    ends = figures.interval_range(evaluations)
    return environment.get_template("evaluation.html").render(
        style=style,
        evaluations=evaluations,
        first=first,
        split=SPLITS.get(first.split, UNKNOWN_SPLIT),
        emotions=EMOTIONS,
        styles=figures.STYLES,
        ends=ends,
        strips=[figures.interval_strip(each, ends) for each in evaluations],
        strip_width=figures.INTERVAL_WIDTH,
        roc=[figures.roc_panel(evaluations, i) for i in range(len(EMOTIONS))],
        calibration=[figures.calibration_panel(each, i) for i, each in enumerate(evaluations)],
        worse=[panel for kind in WORSE if (panel := figures.worse_panel(evaluations, kind)) is not None],
        worse_groups=_groups(evaluations, WORSE),
        parts=_parts(evaluations),
        one_vs_rest=[float(metrics.one_vs_rest_accuracy(each.confusion).mean()) for each in evaluations],
        constant=metrics.constant_one_vs_rest(first.confusion),
        commonest=EMOTIONS[int(first.support.argmax())],
        commonest_share=float(first.support.max() / first.n),
    )


def three(figure: float) -> str:
    """Write a figure with three digits after its point."""
    return style.score(figure, digits=3)


def thousands(n: float) -> str:
    """Write a number of faces: 2,872."""
    return f"{n:,.0f}"


def shade(rate: float) -> int:
    """Return how deep a cell of the confusion matrix is coloured, 0 to 10, from a share of 0 to 1; NaN gives 0."""
    return 0 if math.isnan(rate) else round(10 * rate)


Group = tuple[str, list[Evaluation]]  # a model and its rows, the whole split first


def _groups(evaluations: Sequence[Evaluation], kinds: Sequence[str]) -> list[Group]:
    """Return the rows of these kinds of parts, of each model that has one."""
    rows = [(each, [part for kind in kinds for part in each.parts.get(kind, ())]) for each in evaluations]
    return [(each.model, [each, *parts]) for each, parts in rows if parts]


def _parts(evaluations: Sequence[Evaluation]) -> list[tuple[str, str, list[Group]]]:
    """Return (head, explanation, groups) of each kind of part that some model has."""
    found = [(*words, _groups(evaluations, [kind])) for kind, words in PARTS.items()]
    return [part for part in found if part[2]]


def _check(evaluations: Sequence[Evaluation]) -> None:
    if not evaluations:
        raise ValueError("A report needs at least one evaluation. Received: none.")
    kinds = {(each.split, each.faces, tuple(each.support.tolist())) for each in evaluations}
    if len(kinds) > 1:
        splits = ", ".join(f"{each.model} on {each.split} (n = {each.n})" for each in evaluations)
        raise ValueError(f"Models are compared on the same faces only. Received: {splits}.")
