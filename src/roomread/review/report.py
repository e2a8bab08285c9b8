"""The report of one lesson: a single HTML file that opens offline, reads on a phone, and prints on A4."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from roomread import style
from roomread.output import write_whole
from roomread.page import page_environment
from roomread.review import charts, overtime
from roomread.review.drawings import FILTERS
from roomread.review.overview import seat_glances
from roomread.review.part_charts import Stretch, parts_chart, pointed, with_strip
from roomread.review.structure import Comparison
from roomread.review.summary import LessonSummary
from roomread.types import EMOTIONS, NO_FACE, NOT_ANALYSED, OK, UNREADABLE, Array, ClassLine, Timeline

PURPOSES = {
    "research": "Research",
    "self-study": "Self-study",
    "demo": "Demonstration",
}
STATES = {
    "running": "The lesson was still running when this report was made: every figure is provisional.",
    "stopped": "The analysis was stopped before the end of the lesson.",
}
N_LEADING = 3  # expressions named at a glance; the figure shows all seven
SPARKLINE = (128.0, 26.0)  # SVG units; width and height of one seat's course in the table


def write_report(summary: LessonSummary, out: Path, parts: Comparison | None = None) -> Path:
    """Write the report of a lesson and return its path; an older report there is replaced only by a whole new one.

    Args:
        summary: the lesson at a glance.
        out: the HTML file to write; its folder is made when missing.
        parts: of the lesson, compared; None leaves them out.

    Raises:
        OutputError: the file cannot be written.
    """
    page = report_html(summary, parts)
    write_whole({out: lambda path: path.write_text(page, encoding="utf-8", errors="replace", newline="\n")})
    return out


def report_html(summary: LessonSummary, parts: Comparison | None = None) -> str:
    """Return the report of a lesson as one HTML page that needs nothing from outside."""
    environment = page_environment("roomread.review", *FILTERS, sentence, closed)
    page: str = environment.get_template("report.html").render(
        summary=summary,
        lesson=summary.lesson,
        style=style,
        stack=[(name, float(summary.emotions[EMOTIONS.index(name)])) for name in style.STACK],
        emotions=EMOTIONS,
        when=_when(summary),
        length=_length(summary),
        banded=bool(np.isfinite(summary.timeline.low).any()),
        bins=_bins(summary.timeline),
        purpose=PURPOSES[summary.lesson.purpose],
        notices=[text for text in (STATES.get(summary.lesson.state), *summary.lesson.notes) if text],
        reason=why_missing(summary.timeline),
        leading=leading(summary.emotions),
        figures=_figures(summary, parts),
        parts=parts,
        parts_charts=[parts_chart(parts.rows, size) for size in (charts.WIDE, charts.NARROW)] if parts else [],
        whole={name: float(share.value[0]) for name, share in summary.whole_shares.items()},
        statuses=[status for status in style.MISSING if status in summary.timeline.status.tolist()],
        maps=[charts.seat_map(summary.lesson, seat_glances(summary), size) for size in (charts.WIDE, charts.NARROW)],
        seats=list(_seat_rows(summary)),
        rows=list(_timeline_rows(summary)),
        methods=[*methods(summary), *overtime.methods(summary)],
        episodes=[overtime.episode_words(episode) for episode in summary.episodes],
        kinds=sorted({episode.kind for episode in summary.episodes}),
        false_alarms=overtime.false_alarms(summary.expected_false),
        untold=overtime.untold(summary.over_time, why_missing(summary.over_time)),
        what_over_time=overtime.WHAT,
        seat_episodes=overtime.seat_words(summary),
        seat_false_alarms=overtime.seat_false_alarms(summary),
        made_with=list(flat(summary.lesson.made_with)),
    )
    return page


def leading(emotions: Array) -> list[tuple[str, float]]:
    """Return the names and shares of the strongest expressions, strongest first; nothing where they are not known."""
    if not np.isfinite(emotions).all():
        return []
    order = np.argsort(-emotions, kind="stable")[:N_LEADING]
    return [(EMOTIONS[i], float(emotions[i])) for i in order if emotions[i] > 0]


def why_missing(timeline: Timeline | ClassLine) -> str:
    """Return in words why bins have no score, the commonest reason first; empty where every bin has one."""
    n = len(timeline.status)
    if not n:
        return style.MISSING[NOT_ANALYSED]
    found = Counter(str(status) for status in timeline.status if status != OK).most_common()
    if found and found[0][1] == n:
        return f"{style.MISSING[found[0][0]]} throughout"
    return ", ".join(f"{style.MISSING[status]} in {style.percent(times / n)} of the lesson" for status, times in found)


def methods(summary: LessonSummary) -> list[str]:
    """Return the sentences of a methods section, to be quoted as they stand."""
    lesson, made_with = summary.lesson, summary.lesson.made_with
    size = f"{lesson.width} \N{MULTIPLICATION SIGN} {lesson.height} pixels"
    length = f"{style.duration(lesson.duration)}, " if lesson.duration > 0 else ""
    version = f" {made_with['roomread']}" if "roomread" in made_with else ""
    frames = f"{summary.frames} frame{'' if summary.frames == 1 else 's'}"
    rate = f", {summary.frames / lesson.duration:.3g} per second" if lesson.duration > 0 and summary.frames > 1 else ""
    detector = _model(made_with.get("detector")) or "a face detector"
    expression = _model(made_with.get("expression")) or "an expression model"
    mesh = _model(made_with.get("mesh"))
    bins = style.duration(summary.timeline.bin_seconds)
    return [
        f"The recording ({length}{size}) was analysed with roomread{version}: {frames}{rate}.",
        f"Faces were found with {detector}.",
        f"By {expression}, every readable face was given a probability for each of {len(EMOTIONS)} expressions: "
        + f"{', '.join(EMOTIONS)}.",
        *([f"Head, eyes and mouth were read by {mesh}."] if mesh else []),
        f"Engagement is the mapping \N{LEFT DOUBLE QUOTATION MARK}{summary.mapping}\N{RIGHT DOUBLE QUOTATION MARK}: "
        + f"{closed(summary.formula)} Source: {closed(summary.citation)}",
        f"It was averaged over the seats{f' in bins of {bins}' if len(summary.timeline.starts) > 1 else ''}.",
        f"Interval and band: {closed(summary.band)}",
        f"What may be shown: {closed(summary.rule)}",
        "Times without a score are reported as missing, not as low.",
        f"Validity of the mapping: {closed(summary.validity)}",
    ]


def flat(values: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Yield (name, value) for everything in a nested dictionary, as words."""
    for key, value in values.items():
        name = f"{above}{key}".replace("_", " ")
        if isinstance(value, dict):
            yield from flat(value, f"{name} \N{MIDDLE DOT} ")
        else:
            yield name, _words(value)


def sentence(text: str) -> str:
    """Return the text with a capital at its start and a full stop at its end, where it has no closing mark."""
    return text[:1].upper() + closed(text[1:])


def closed(text: str) -> str:
    """Return the text with a full stop at its end, where it has no closing mark."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _words(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return style.UNKNOWN if math.isnan(value) else f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(_words(part) for part in value)
    return str(value)


def _model(entry: Any) -> str:
    """Return the name of a model and the start of its hash, from its entry in `made_with`; empty without a name."""
    if not isinstance(entry, dict):
        return "" if entry is None else str(entry)
    name = " ".join(str(entry[key]) for key in ("name", "version") if entry.get(key))
    digest = str(entry.get("sha256") or "")[:12]
    return f"{name} (SHA-256 {digest}\N{HORIZONTAL ELLIPSIS})" if name and digest else name


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _when(summary: LessonSummary) -> tuple[str, str, str]:
    """Return ("Began" or "Analysed", the date in words, the same for machines)."""
    lesson = summary.lesson
    word, moment = ("Began", lesson.began) if lesson.began else ("Analysed", lesson.created)
    return word, style.date(datetime.fromisoformat(moment)), moment


def _length(summary: LessonSummary) -> str:
    if summary.lesson.duration > 0:
        return style.duration(summary.lesson.duration)
    return "a single picture" if summary.frames else style.MISSING[NOT_ANALYSED]


def _bins(timeline: Timeline) -> str:
    if len(timeline.starts) == 1:
        return "One moment"
    return f"Bins of {style.duration(timeline.bin_seconds)}"


def _figures(summary: LessonSummary, parts: Comparison | None) -> dict[str, list[charts.Chart]]:
    """Return every chart at both sizes; none for a lesson without bins."""
    if not len(summary.timeline.starts):
        return {}
    began = _moment(summary.lesson.began)
    makers = {
        "engagement": charts.engagement_chart,
        "expressions": charts.expressions_chart,
        "coverage": charts.coverage_chart,
    }
    sizes = (charts.WIDE, charts.NARROW)
    made = {name: [make(summary.timeline, size, began) for size in sizes] for name, make in makers.items()}
    made["engagement"] = [charts.with_episodes(chart, summary.episodes) for chart in made["engagement"]]
    if parts is not None:
        strip = [Stretch(row.number, row.part, pointed(row)) for row in parts.rows]
        made["engagement"] = [with_strip(chart, strip) for chart in made["engagement"]]
    if any(np.isfinite(share.value).any() for share in summary.shares.values()):
        made["attention"] = [charts.attention_chart(summary.timeline, summary.shares, size, began) for size in sizes]
    if summary.consensus is not None:
        made["consensus"] = [charts.consensus_chart(summary.timeline, summary.consensus, size, began) for size in sizes]
    return made


def _seat_rows(summary: LessonSummary) -> Iterator[dict[str, Any]]:
    for seat in summary.seats:
        plot, path, dots = charts.sparkline(summary.timeline, seat.over_time, *SPARKLINE)
        yield {"seat": seat, "leading": leading(seat.emotions)[:1], "plot": plot, "path": path, "dots": dots}


def _timeline_rows(summary: LessonSummary) -> Iterator[dict[str, Any]]:
    """Yield one row per bin for the table; faces are counted only where the status allows it."""
    timeline, began = summary.timeline, _moment(summary.lesson.began)
    for i, start in enumerate(timeline.starts.tolist()):
        status = str(timeline.status[i])
        counted = status in (OK, NO_FACE, UNREADABLE)
        yield {
            "start": start,
            "clock": style.time_of_day(began, start) if began else "",
            "status": "measured" if status == OK else style.MISSING[status],
            "scores": [float(row[i]) for row in (timeline.engagement, timeline.low, timeline.high)],
            "emotions": [float(share) for share in timeline.emotions[i]],
            "faces": [float(row[i]) if counted else math.nan for row in (timeline.readable, timeline.unreadable)],
            "seats": float(timeline.seats[i]) if status == OK else math.nan,
        }
