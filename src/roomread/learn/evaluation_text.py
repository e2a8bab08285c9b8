"""The figures of models as lines for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from roomread import style
from roomread.learn import metrics
from roomread.learn.evaluation import Evaluation
from roomread.types import EMOTIONS, Array

WIDTH = 12  # characters; room for "weighted avg"


def as_text(evaluation: Evaluation) -> str:
    """Return every figure of one model as lines for a terminal, at most 140 characters wide."""
    low, high = evaluation.accuracy_interval
    blocks = [
        [
            f"{evaluation.model} on {evaluation.split}, n = {evaluation.n}",
            f"accuracy {evaluation.accuracy:.4f} (95% interval {low:.4f} to {high:.4f})   "
            f"balanced {evaluation.mean(evaluation.recall):.4f}   macro F1 {evaluation.mean(evaluation.f1):.4f}   "
            f"calibration error {evaluation.calibration_error:.4f}",
            *_more(evaluation),
        ],
        _report(evaluation),
        _confusion(evaluation),
    ]
    if evaluation.parts:
        rows = [evaluation, *(part for parts in evaluation.parts.values() for part in parts)]
        blocks.append(_table("faces", [(row.faces, row) for row in rows]))
    return "\n".join("\n".join(block) for block in [blocks[0], *(["", *block] for block in blocks[1:])])


def as_table(evaluations: Sequence[Evaluation]) -> str:
    """Return several models side by side as lines for a terminal, one row each and one for each of its parts.

    Args:
        evaluations: of the same split, in the order of the rows.
    """
    blocks = [
        [f"{len(evaluations)} models on {', '.join(dict.fromkeys(each.split for each in evaluations))}, all faces"],
        _table("model", [(each.model, each) for each in evaluations]),
    ]
    for kind in dict.fromkeys(kind for each in evaluations for kind in each.parts):
        told = dict.fromkeys(part.faces for each in evaluations for part in each.parts.get(kind, ()))
        for faces in told:
            parts = [part for each in evaluations for part in each.parts.get(kind, ()) if part.faces == faces]
            blocks.append(["", faces])
            blocks.append(_table("model", [(part.model, part) for part in parts]))
    return "\n".join(line for block in blocks for line in block)


def _more(evaluation: Evaluation) -> list[str]:
    one_vs_rest = metrics.one_vs_rest_accuracy(evaluation.confusion).mean()
    return [
        f"right among the two likeliest {evaluation.curves.top_2:.4f}   "
        f"mean AUC, one class against the rest, {style.score(evaluation.curves.mean_auc, 4)}",
        f"one-versus-rest accuracy averaged over classes {one_vs_rest:.4f} "
        f"({metrics.constant_one_vs_rest(evaluation.confusion):.4f} for one and the same answer to every face)",
    ]


def _report(evaluation: Evaluation) -> list[str]:
    """Return the table per class in the form of scikit-learn's classification_report."""
    columns = (evaluation.precision, evaluation.recall, evaluation.f1)
    lines = [f"{'':{WIDTH}}{'precision':>11}{'recall':>10}{'f1-score':>10}{'support':>10}", ""]
    for i, name in enumerate(EMOTIONS):
        lines.append(_row(name, [column[i] for column in columns], int(evaluation.support[i])))
    lines += ["", f"{'accuracy':>{WIDTH}}{'':21}{evaluation.accuracy:>10.3f}{evaluation.n:>10}"]
    for words, weighted in (("macro avg", False), ("weighted avg", True)):
        lines.append(_row(words, [evaluation.mean(column, weighted) for column in columns], evaluation.n))
    return lines


def _row(name: str, shares: Sequence[float], faces: int) -> str:
    precision, recall, f1 = (style.score(share, 3) for share in shares)
    return f"{name:>{WIDTH}}{precision:>11}{recall:>10}{f1:>10}{faces:>10}"


def _confusion(evaluation: Evaluation) -> list[str]:
    lines = [f"{'is, called':>{WIDTH}}" + "".join(f"{name:>15}" for name in EMOTIONS)]
    rows: list[tuple[str, Array, Array]] = list(zip(EMOTIONS, evaluation.confusion, evaluation.rates, strict=True))
    for name, counts, rates in rows:
        cells = (f"{n:>9} {f'({style.percent(float(rate))})':>5}" for n, rate in zip(counts, rates, strict=True))
        lines.append(f"{name:>{WIDTH}}" + "".join(f"{cell:>15}" for cell in cells))
    return lines


def _table(head: str, rows: Sequence[tuple[str, Evaluation]]) -> list[str]:
    width = max(len(head), *(len(name) for name, _ in rows))
    lines = [
        f"{head:{width}}{'n':>8}{'accuracy':>10}  {'95% interval':14}{'balanced':>9}{'macro F1':>10}{'cal. error':>12}"
    ]
    for name, row in rows:
        low, high = row.accuracy_interval
        lines.append(
            f"{name:{width}}{row.n:>8}{row.accuracy:>10.3f}  {f'{low:.3f} to {high:.3f}':14}"
            f"{row.mean(row.recall):>9.3f}{row.mean(row.f1):>10.3f}{row.calibration_error:>12.3f}"
        )
    return lines
