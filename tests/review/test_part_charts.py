"""How the parts of a lesson are drawn."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from roomread.review import charts, report
from roomread.review.part_charts import MAX_LANES, Stretch, parts_chart, pointed, shortened, with_strip
from roomread.review.shapes import Size
from roomread.review.structure import Comparison, PartChange
from roomread.review.summary import STATES, LessonSummary
from roomread.types import (
    ACTIVITY,
    MARKER,
    N_EMOTIONS,
    NOT_ENOUGH,
    OK,
    TOO_FEW,
    ClassLine,
    Lesson,
    Part,
    Share,
    Timeline,
)

NAN = math.nan
SIZES = pytest.mark.parametrize("size", [charts.WIDE, charts.NARROW], ids=["wide", "narrow"])


def change(number: int, start: float, end: float, value: float = 0.1, name: str = "Task") -> PartChange:
    part = Part(name, start, end, MARKER if start == end else ACTIVITY)
    return PartChange(number, part, OK, value, value - 0.05, value + 0.05, 8, 1.0)


def unknown(number: int, start: float, end: float) -> PartChange:
    return PartChange(number, Part("Film", start, end, ACTIVITY), TOO_FEW, NAN, NAN, NAN, NAN, NAN)


def a_minute() -> LessonSummary:
    """Return the summary of sixty seconds of which everything is known."""
    n = 60
    full = {name: np.full(n, 0.6) for name in ("engagement", "low", "high", "readable", "unreadable", "seats")}
    line = Timeline(
        bin_seconds=1.0, starts=np.arange(n) * 1.0, status=np.full(n, OK), emotions=np.full((n, 7), 1 / 7), **full
    )
    share = Share(*(np.full(1, NAN) for _ in range(4)))
    about = Lesson(
        number=1, name="Tuesday", source="tuesday.mp4", purpose="research", reference=None, sample=False, began=None,
        created="2026-03-12T09:15:00+01:00", duration=60.0, width=1280, height=720, state="complete", notes=(),
        made_with={},
    )  # fmt: skip
    none = np.full(3, NAN)
    untold = ClassLine(
        step=2.0, starts=np.arange(3) * 2.0, status=np.full(3, NOT_ENOUGH), change=none, low=none,
        high=none, seats=none, taken=none, usual=NAN, shared=NAN,
    )  # fmt: skip
    return LessonSummary(
        lesson=about, mapping="sharma", formula="", citation="", validity="", band="", rule="", timeline=line, seats=(),
        engagement=0.6, low=0.5, high=0.7, emotions=np.full(N_EMOTIONS, 1 / 7), frames=60, faces_per_frame=8.0,
        readable=1.0, measured=1.0, n_seats=8, shares=dict.fromkeys(STATES, share),
        whole_shares=dict.fromkeys(STATES, share), over_time=untold, episodes=(), seat_episodes={}, expected_false=NAN,
    )  # fmt: skip


def strip_of(rows: list[PartChange]) -> list[Stretch]:
    return [Stretch(row.number, row.part, pointed(row)) for row in rows]


def empty_chart(size: Size) -> charts.Chart:
    return charts.engagement_chart(a_minute().timeline, size, None)


@SIZES
def test_a_part_is_a_dot_with_its_whisker_around_0(size: Size) -> None:
    chart = parts_chart([change(1, 0, 20), change(2, 20, 40, -0.1), unknown(3, 40, 60)], size)
    up, down, nothing = chart.rows
    middle = chart.plot.x(0)
    assert middle < up.low < up.x < up.high <= chart.plot.right
    assert chart.plot.left <= down.low < down.x < down.high < middle
    assert [up.known, down.known, nothing.known] == [True, True, False]
    assert up.y < down.y < nothing.y < chart.plot.bottom
    assert [tick.words for tick in chart.values][2] == "0.00"


@SIZES
def test_an_interval_beyond_the_possible_is_cut_at_the_frame(size: Size) -> None:
    wide = PartChange(1, Part("Task", 0, 20, ACTIVITY), OK, 0.1, -3.0, 3.2, 2, 1.0)
    chart = parts_chart([wide], size)
    assert (chart.rows[0].low, chart.rows[0].high) == (chart.plot.left, chart.plot.right)
    assert chart.values[-1].words == "+1.00"


def test_a_long_name_is_cut_and_the_result_is_not() -> None:
    long = [change(1, 0, 20, name="a heading that goes on and on " * 3)]
    assert parts_chart(long, charts.WIDE).rows[0].name.endswith("…")
    assert parts_chart(long, charts.NARROW).rows[0].name.endswith("…: +0.10 (+0.05 to +0.15)")
    assert shortened("short", 5) == "short"


@SIZES
def test_the_strip_lies_under_the_axis_and_lets_overlapping_parts_stand_below_one_another(size: Size) -> None:
    rows = [change(1, 0, 30), change(2, 15, 60), change(3, 30, 60), change(4, 20, 20), change(5, 90, 120)]
    plain = empty_chart(size)
    chart = with_strip(plain, strip_of(rows))
    tops = [top for top, _, _ in chart.strip]
    assert len(chart.strip) == 4  # the fifth lies beyond the lesson
    assert tops[0] == tops[2] < tops[1] < tops[3]
    assert min(tops) > chart.plot.bottom
    assert chart.height > max(tops) + 16
    assert all(plain.plot.left - 4 <= box.x and box.x + box.width <= plain.plot.right + 4 for _, box, _ in chart.strip)


def test_a_box_holds_as_much_of_its_name_as_fits() -> None:
    rows = [change(1, 0, 40, name="Group work"), change(2, 40, 42), change(13, 42, 42.5)]
    assert [box.words for _, box, _ in with_strip(empty_chart(charts.WIDE), strip_of(rows)).strip] == [
        "1 Group work",
        "2",
        "",
    ]


def test_no_more_lanes_than_fit_are_drawn() -> None:
    rows = [change(n, 0, 60) for n in range(1, 9)]
    assert len(with_strip(empty_chart(charts.WIDE), strip_of(rows)).strip) == MAX_LANES


def test_the_report_tells_the_parts_in_a_figure_and_a_table() -> None:
    evil = change(2, 20, 40, name="<script>alert(1)</script>")
    parts = Comparison((change(1, 0, 20), evil, unknown(3, 40, 60)), "sharma", 60.0, ("One part begins early.",))
    html = report.report_html(a_minute(), parts)
    section = html[html.index('id="parts"') : html.index('id="expressions"')]
    assert "<script>" not in html
    for words in ("Parts of the lesson", "+0.10 (+0.05 to +0.15)", "0:00–0:20", "One part begins early.", "Frane 2021"):
        assert words in section
    table = section[section.index("<table") :]
    assert table.count("not enough evidence: too few seats") == 1
    assert table.count("+0.10") == 2
    assert "nan" not in re.findall(r"[a-z]+", html.lower())
    for picture in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        ElementTree.fromstring(picture)
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))


def test_a_report_without_an_agenda_has_no_parts() -> None:
    assert "Parts of the lesson" not in report.report_html(a_minute())
