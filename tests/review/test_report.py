from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from roomread.engagement.consensus import Consensus
from roomread.errors import OutputError
from roomread.review import charts, report, shapes
from roomread.review.overview import seat_glances
from roomread.review.summary import STATES, LessonSummary, SeatSummary
from roomread.types import (
    DROP,
    N_EMOTIONS,
    NO_FACE,
    NOT_ANALYSED,
    NOT_ENOUGH,
    OK,
    RISE,
    TOO_FEW,
    UNREADABLE,
    ClassLine,
    Episode,
    Lesson,
    Share,
    Timeline,
)

NAN = float("nan")
VOID = {"meta", "br", "link", "img", "input", "hr"}


def make_lesson(**changes: Any) -> Lesson:
    values: dict[str, Any] = {
        "number": 1, "name": "Tuesday", "source": "tuesday.mp4", "purpose": "research", "reference": None,
        "sample": False, "began": None, "created": "2026-03-12T09:15:00+01:00", "duration": 60.0, "width": 1280,
        "height": 720, "state": "complete", "notes": (),
        "made_with": {"roomread": "0.1.0", "detector": {"name": "YuNet", "sha256": "ab" * 32}},
    }  # fmt: skip
    return Lesson(**(values | changes))


def make_timeline(status: list[str], bin_seconds: float = 1.0, level: float = 0.6) -> Timeline:
    """Return a timeline whose known bins all lie at one level, between 0.1 below and above it."""
    n, states = len(status), np.array(status, dtype=str)
    ok = states == OK
    emotions = np.where(ok[:, None], np.full((n, N_EMOTIONS), [0.05, 0.01, 0.04, 0.3, 0.1, 0.1, 0.4]), NAN)
    counted = ~np.isin(states, (TOO_FEW, NOT_ANALYSED))
    known = np.where(ok, level, NAN)
    return Timeline(
        bin_seconds=bin_seconds,
        starts=np.arange(n) * bin_seconds,
        status=states,
        engagement=known,
        low=known - 0.1,
        high=known + 0.1,
        emotions=emotions,
        readable=np.where(counted, np.where(ok, 7.0, 0.0), NAN),
        unreadable=np.where(counted, np.where(states == NO_FACE, 0.0, 1.0), NAN),
        seats=np.where(ok, 8.0, NAN),
    )


def make_share(value: float, n: int = 1) -> Share:
    values = np.full(n, value)
    return Share(values, values - 0.1, values + 0.1, np.full(n, 8.0))


def make_line(status: str = NOT_ENOUGH, n: int = 30, change: float = 0.0) -> ClassLine:
    """Return a time line whose steps are all of one status, at one distance from the usual level."""
    known = np.full(n, change if status == OK else NAN)
    return ClassLine(
        step=2.0,
        starts=np.arange(n) * 2.0,
        status=np.full(n, status),
        change=known,
        low=known - 0.05,
        high=known + 0.05,
        seats=np.full(n, 8.0),
        taken=np.full(n, 8.0),
        usual=0.6 if status == OK else NAN,
        shared=0.1,
    )


def make_summary(timeline: Timeline, lesson: Lesson | None = None, **changes: Any) -> LessonSummary:
    ok = timeline.status == OK
    known = bool(ok.any())
    values: dict[str, Any] = {
        "lesson": lesson or make_lesson(), "mapping": "sharma", "citation": "Sharma et al. 2019",
        "formula": "sum of p × w", "band": "95% interval",
        "validity": "AUC 0.58, where 0.50 is chance", "rule": "at least 5 seats are aggregated", "timeline": timeline,
        "seats": (), "engagement": 0.6 if known else NAN, "low": 0.5 if known else NAN, "high": 0.7 if known else NAN,
        "emotions": timeline.emotions[ok][0] if known else np.full(N_EMOTIONS, NAN), "frames": 120,
        "faces_per_frame": 8.0 if known else NAN, "readable": 0.9 if known else NAN,
        "measured": float(ok.mean()) if len(ok) else NAN, "n_seats": 8 if known else None,
        "shares": dict.fromkeys(STATES, make_share(NAN, len(ok))),
        "whole_shares": dict.fromkeys(STATES, make_share(NAN)), "over_time": make_line(), "episodes": (),
        "seat_episodes": {}, "expected_false": NAN,
    }  # fmt: skip
    return LessonSummary(**(values | changes))


def make_seat(number: int, timeline: Timeline, engagement: float = 0.6) -> SeatSummary:
    over_time = np.full(len(timeline.starts), engagement)
    over_time[3:5] = NAN
    box = np.array([100.0 * number, 200, 100.0 * number + 80, 290], np.float32)
    emotions = np.full(N_EMOTIONS, NAN if np.isnan(engagement) else 1 / 7)
    return SeatSummary(number, box, engagement, emotions, 0.97, 0.9, over_time, 0.8, 0.1, 2, NAN)


MIXED = [OK] * 20 + [NO_FACE] * 5 + [OK] * 10 + [UNREADABLE] * 2 + [OK] + [TOO_FEW] * 12 + [NOT_ANALYSED] * 4 + [OK] * 6


def eight_seats() -> LessonSummary:
    timeline = make_timeline(MIXED)
    seats = [make_seat(i, timeline) for i in range(1, 8)] + [make_seat(8, timeline, NAN)]
    return make_summary(timeline, make_lesson(purpose="demo", sample=True), seats=tuple(seats))


def one_seat() -> LessonSummary:
    timeline = make_timeline([OK] * 20)
    lesson = make_lesson(purpose="self-study", duration=20.0, began="2026-03-12T18:02:10+01:00")
    return make_summary(timeline, lesson, seats=(make_seat(1, timeline),), n_seats=1, low=NAN, high=NAN)


CASES = {
    "eight seats": eight_seats,
    "an hour": lambda: make_summary(
        make_timeline([OK] * 50 + [TOO_FEW] * 20 + [OK] * 50, 30.0),
        make_lesson(duration=3600.0, began="2026-03-12T10:15:00+01:00", notes=("34 frames were damaged",)),
    ),
    "one seat": one_seat,
    "a picture": lambda: make_summary(make_timeline([OK], 0.5), make_lesson(duration=0.0), frames=1),
    "a picture without a face": lambda: make_summary(make_timeline([NO_FACE]), make_lesson(duration=0.0), frames=1),
    "nothing measurable": lambda: make_summary(make_timeline([TOO_FEW] * 30 + [NO_FACE] * 10, 15.0)),
    "no bin at all": lambda: make_summary(make_timeline([]), make_lesson(duration=0.0), frames=0),
    "no face ever": lambda: make_summary(make_timeline([NO_FACE] * 9), faces_per_frame=0.0, n_seats=0),
}  # fmt: skip


class Page(HTMLParser):
    """Checks that every element is closed in order, and keeps the tags with their attributes and the plain text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1:] == [tag], f"</{tag}> closes nothing"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if not {"style", "title", "desc"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def test_heads_and_eyes_are_drawn_where_they_are_known() -> None:
    timeline = make_timeline([OK] * 20)
    shares = {"facing": make_share(0.75, 20), "eyes_closed": make_share(NAN, 20)}
    shares["facing"].value[4] = NAN
    whole = {"facing": make_share(0.75), "eyes_closed": make_share(NAN)}
    html = report.report_html(make_summary(timeline, shares=shares, whole_shares=whole))
    assert "Heads and eyes over time" in html
    assert "facing what the room faces 75%" in html
    (_, line, *_) = re.findall(r'<path class="line facing" d="(M[^"]+)"', html)  # after the legend's
    assert line.count("M") == 2  # broken where it is not known
    assert '<path class="line closed" d="M0,7 H14"' in html  # in the legend
    assert html.count('class="line closed"') == 1  # and nowhere else: no line is drawn through what is not known


def test_without_any_signal_heads_and_eyes_are_left_out() -> None:
    assert "Heads and eyes" not in report.report_html(make_summary(make_timeline([OK] * 20)))


def page_of(summary: LessonSummary) -> Page:
    return Page(report.report_html(summary))


@pytest.fixture(scope="module", params=CASES.values(), ids=list(CASES))
def html(request: pytest.FixtureRequest) -> str:
    return report.report_html(request.param())


def test_every_case_is_well_formed_and_tells_the_same_sections_in_order(html):
    page = Page(html)
    headings = re.findall(r"<h2[^>]*>(.*?)</h2>", html)
    assert headings[0] == "The lesson at a glance"
    assert headings[1] in ("Class engagement over time", "Engagement over time")
    assert headings[2:] == [
        "Expressions over time", "Coverage over time", "Seats", "How it was made", "What it must not be used for",
    ]  # fmt: skip
    assert [tag for tag, _ in page.tags].count("h1") == 1
    assert {"header", "main", "footer"} <= {tag for tag, _ in page.tags}
    assert "nan" not in re.findall(r"[a-z]+", html.lower())
    assert "None" not in page.text


def test_every_id_is_given_once_and_every_reference_is_met(html):
    page = Page(html)
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    asked = {name for _, attrs in page.tags for name in (attrs.get("aria-labelledby") or "").split()}
    asked |= set(re.findall(r"url\(#([\w-]+)\)", html)) | {str(a["href"])[1:] for t, a in page.tags if t == "a"}
    assert asked <= set(ids)


def test_every_svg_is_well_formed_and_has_a_name_or_is_hidden(html):
    pictures = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    for picture in pictures:
        root = ElementTree.fromstring(picture)
        named = root.find("title") is not None and root.find("desc") is not None
        assert named or root.get("aria-label") or root.get("aria-hidden") == "true"
    assert pictures


def test_the_page_loads_nothing_and_runs_nothing(html):
    assert not re.search(r"https?://|@import|<script|<link|<img|<iframe|javascript:|\ssrc=", html)
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", html))
    assert all(target.startswith("#") for target in re.findall(r'href="([^"]*)"', html))
    assert "default-src 'none'" in html


def test_every_case_says_how_little_the_score_is_worth_and_what_is_forbidden(html):
    text = Page(html).text
    assert "AUC 0.58, where 0.50 is chance." in text
    assert "with limited measured validity" in text
    assert "Article 5(1)(f)" in text
    assert "2 February 2025" in text
    assert "Barrett et al. 2019" in text


def test_moments_in_which_formulas_contradict_each_other_are_gray():
    standings = np.array([0.5, 0.2, NAN, -1.0, 9.0, 0.1])
    told = Consensus(standings - 0.5, standings, np.array([False, True, False, True, True, False]))
    page = page_of(make_summary(make_timeline([OK] * 6), consensus=told, formulas=("sharma", "glance")))
    assert "Do the formulas agree?" in page.text
    assert "sharma, glance: each against its own median" in page.text
    gray = [attrs["d"] for tag, attrs in page.tags if tag == "path" and attrs.get("class") == "area contradicted"]
    assert [(path or "").count("M") for path in gray] == [2, 2]  # two stretches, in both sizes


def test_without_two_formulas_that_know_the_class_nothing_is_said_of_their_agreement():
    assert "Do the formulas agree?" not in page_of(make_summary(make_timeline([OK] * 6))).text


def test_a_hostile_name_is_shown_as_text():
    evil = "<script>alert('x')</script>\"><svg onload=alert(1)>"
    lesson = make_lesson(
        name=evil, source=evil, reference=evil, notes=(evil,), made_with={evil: {evil: evil}, "detector": evil}
    )
    page = page_of(make_summary(make_timeline([OK] * 5), lesson, rule=evil, validity=evil, formula=evil, band=evil))
    assert not [tag for tag, attrs in page.tags if tag == "script" or any(name.startswith("on") for name in attrs)]
    assert page.text.count("<script>alert('x')</script>") >= 8


def test_a_name_that_no_encoding_holds_is_still_written(tmp_path):
    out = report.write_report(make_summary(make_timeline([OK]), make_lesson(name="a\udce4b")), tmp_path / "r.html")
    assert "<h1>a?b</h1>" in out.read_text(encoding="utf-8")


def test_the_header_tells_when_how_long_and_what_for():
    text = page_of(CASES["an hour"]()).text
    assert "Began 12 Mar 2026, 10:15 (UTC+01:00)" in text
    assert "Length 1 h" in text
    assert "Analysed 12 Mar 2026, 09:15" in page_of(CASES["nothing measurable"]()).text
    text = page_of(make_summary(make_timeline([OK]), make_lesson(reference="EK 7"))).text
    assert "Research , reference EK 7" in text or "Research, reference EK 7" in text


def test_only_the_synthetic_room_is_called_synthetic():
    line = "Synthetic room built from one photograph: it says nothing about people."
    assert line in page_of(eight_seats()).text
    assert line not in page_of(one_seat()).text


def test_the_score_stands_with_its_interval_or_without_one():
    assert "0.60 engagement, from 0 to 1 interval 0.50 to 0.70" in page_of(eight_seats()).text
    assert "no interval can be given" in page_of(one_seat()).text


def test_what_was_lost_is_told_at_a_glance():
    html = report.report_html(make_summary(make_timeline([OK]), make_lesson(state="stopped", notes=("3 frames lost",))))
    glance = html[html.index('id="glance"') : html.index('id="engagement"')]
    assert "3 frames lost." in glance
    assert "stopped before the end" in glance


def test_a_missing_score_says_why_and_never_zero():
    html = report.report_html(CASES["nothing measurable"]())
    text = Page(html).text
    assert "No engagement score Too few seats in 75% of the lesson, no face found in 25% of the lesson." in text
    assert "Leading expressions not known Faces per frame not known Readable faces not known" in text
    assert "Seats too few to tell" in text
    assert 'class="line' not in html
    assert 'class="area' not in html
    assert 'class="dot"' not in html


@pytest.mark.parametrize(
    ("status", "words"),
    [(TOO_FEW, "too few seats"), (NO_FACE, "no face found"), (UNREADABLE, "faces not readable"),
     (NOT_ANALYSED, "not analysed")],
)  # fmt: skip
def test_every_kind_of_gap_is_shaded_and_named(status, words):
    html = report.report_html(make_summary(make_timeline([OK] * 5 + [status] * 5 + [OK] * 5)))
    assert f'<rect class="gap-{status.replace(" ", "-")}"' in html
    assert f"</svg> {words}</li>" in re.sub(r"\s+", " ", html).replace(" </li>", "</li>")
    table = html[html.index('<table class="timeline">') : html.index('id="seats"')]
    row = next(part for part in table.split("<tr>") if words in part)
    assert row.count("<td>\N{EN DASH}</td>") >= 10  # engagement, its band, seven expressions, seats
    assert table.count("measured") == 10


DROPPED = Episode(kind=DROP, start=750.0, end=900.0, change=-0.12)
ROSE = Episode(kind=RISE, start=3000.0, end=3010.0, change=0.2)


def an_hour_with_episodes(**changes: Any) -> LessonSummary:
    values: dict[str, Any] = {
        "over_time": make_line(OK, 1800), "episodes": (DROPPED, ROSE), "expected_false": 0.1
    } | changes  # fmt: skip
    return make_summary(make_timeline([OK] * 120, 30.0), make_lesson(duration=3600.0), **values)


def test_drops_and_rises_are_told_with_their_false_alarms_and_marked_in_the_chart():
    html = report.report_html(an_hour_with_episodes())
    text = Page(html).text
    assert "12:30–15:00 below the class's own usual level, by 0.12" in text
    assert "50:00–50:10 above the class's own usual level, by 0.20" in text
    assert "Expected false alarms in the time told of: about 0.10; lessons simulated without" in text
    assert "the time line, not the glance" in text
    assert html.count('class="mark-edge drop"') == 3  # two sizes and the legend
    for size in (charts.WIDE, charts.NARROW):
        chart = charts.engagement_chart(make_timeline([OK] * 120, 30.0), size, None)
        drop, rise = charts.with_episodes(chart, (DROPPED, ROSE)).marks
        assert (drop.x, drop.x + drop.width) == pytest.approx((chart.plot.x(750), chart.plot.x(900)))
        assert rise.words == ""  # no room for the word


def test_a_mark_stays_within_the_chart():
    chart = charts.engagement_chart(make_timeline([OK] * 24, 30.0), charts.WIDE, None)
    (mark,) = charts.with_episodes(chart, (DROPPED,)).marks
    assert (mark.x, mark.width) == (chart.plot.right, 0)


def test_no_episode_and_no_evidence_are_two_answers():
    none = Page(report.report_html(an_hour_with_episodes(episodes=()))).text
    unknown = Page(
        report.report_html(an_hour_with_episodes(over_time=make_line(), episodes=(), expected_false=NAN))
    ).text
    assert "None that lasted and was large enough" in none
    assert "Not told: not enough evidence throughout" in unknown
    assert "it takes at least 3 seats with 15 min of readings" in unknown
    assert "None that lasted" not in unknown


def test_episodes_of_single_seats_stand_below_the_seats():
    timeline = make_timeline([OK] * 120, 30.0)
    seats = (make_seat(1, timeline), make_seat(2, timeline))
    text = Page(report.report_html(an_hour_with_episodes(seats=seats, seat_episodes={1: (DROPPED,), 2: ()}))).text
    assert "Seat 1: 12:30–15:00 below its own usual level, by 0.12" in text
    assert "Expected false alarms of all seats together: about 0.12; seats simulated" in text


def test_the_methods_say_what_is_of_the_glance_and_what_of_the_time_line():
    text = Page(report.report_html(an_hour_with_episodes())).text
    for part in ("measure the glance", "measure the time line", "median of each seat over 20 s", "Kish 1965"):
        assert part in text


def test_a_gap_breaks_the_line_and_the_areas():
    timeline = make_timeline([OK] * 5 + [NO_FACE] * 3 + [OK] * 4)
    for size in (charts.WIDE, charts.NARROW):
        chart = charts.engagement_chart(timeline, size, None)
        line, band = chart.lines[0].path, chart.areas[0].path
        assert line.count("M") == 2
        assert band.count("M") == 2
        assert line.count(",") == (5 + 2) + (4 + 2)  # a stretch reaches the outer edges of its bins
        heights = {float(y) for y in re.findall(r",([\d.]+)", line)}
        assert heights == {round(chart.plot.y(0.6), 1)}
        layers = charts.expressions_chart(timeline, size, None).areas
        assert len(layers) == N_EMOTIONS
        assert all(layer.path.count("M") == 2 for layer in layers)


def test_nothing_is_drawn_where_nothing_is_known():
    timeline = make_timeline([TOO_FEW] * 6)
    for make in (charts.engagement_chart, charts.expressions_chart, charts.coverage_chart):
        chart = make(timeline, charts.WIDE, None)
        assert not any(layer.path for layer in (*chart.areas, *chart.lines))
        assert not chart.dots
        assert not chart.labels
        assert [gap.kind for gap in chart.gaps] == ["too-few"]
    assert charts.coverage_chart(timeline, charts.WIDE, None).values == ()


def test_faces_of_too_few_seats_are_not_counted_even_if_they_are_given():
    timeline = make_timeline([OK] * 3 + [TOO_FEW] * 3)
    told = Timeline(**{name: getattr(timeline, name) for name in Timeline.__slots__} | {"readable": np.full(6, 3.0)})
    assert charts.coverage_chart(told, charts.WIDE, None).areas[0].path.count("M") == 1
    assert report.report_html(make_summary(told)).count("<td>3</td>") == 3


def test_a_bin_without_neighbours_is_a_dot_with_its_error_bar():
    chart = charts.engagement_chart(make_timeline([OK]), charts.WIDE, None)
    dot = chart.dots[0]
    assert not chart.lines[0].path
    assert dot.high < dot.y < dot.low
    assert chart.plot.left < dot.x < chart.plot.right
    html = report.report_html(CASES["a picture"]())
    assert '<circle class="dot"' in html
    assert '<path class="bar"' in html
    assert "a single moment" in html


def test_expressions_fill_the_axis_and_the_value_axis_of_engagement_is_fixed():
    chart = charts.expressions_chart(make_timeline([OK] * 4), charts.WIDE, None)
    heights = [float(y) for layer in chart.areas for y in re.findall(r",([\d.]+)", layer.path)]
    assert min(heights) == chart.plot.top
    assert max(heights) == chart.plot.bottom
    values = charts.engagement_chart(make_timeline([OK] * 4, level=0.2), charts.WIDE, None).values
    assert [tick.words for tick in values] == ["0.00", "0.25", "0.50", "0.75", "1.00"]


def test_the_time_axis_of_a_stretch_names_its_unit_and_repeats_no_time_of_day():
    began = datetime(2026, 3, 12, 9, 15, tzinfo=UTC)
    plain = make_timeline([OK] * 10, bin_seconds=60.0)
    late = charts.engagement_chart(replace(plain, starts=plain.starts + 4200), charts.WIDE, None)
    assert late.axis == "time from the start (h:min:s)" and late.times[0].words == "1:10:00"
    short = charts.engagement_chart(make_timeline([OK] * 9, bin_seconds=30.0), charts.WIDE, began)
    days = [tick.more for tick in short.times]
    assert len(set(days)) == len(days) > 4


def test_times_are_told_from_the_start_and_by_the_clock_when_it_is_known():
    html = report.report_html(CASES["an hour"]())
    assert "time from the start (h:mm) and time of day" in html
    assert ">0:20<" in html
    assert ">10:35<" in html
    html = report.report_html(eight_seats())
    assert "time from the start (min:s)" in html
    assert "time of day" not in html.lower()


def test_seats_are_shown_only_when_they_are_given():
    html = report.report_html(eight_seats())
    assert html.count('class="chart map') == 2
    assert html.count('class="spark"') == 8
    assert "faces not readable</td>" in html
    assert 'class="seat unknown"' in html
    html = report.report_html(CASES["an hour"]())
    assert 'class="chart map' not in html
    assert 'class="spark"' not in html
    assert "Single seats are not shown. At least 5 seats are aggregated." in Page(html).text


def test_the_seat_map_keeps_the_proportion_of_the_picture():
    lesson, seat = make_lesson(width=1280, height=720), make_seat(2, make_timeline([OK] * 9))
    seats = charts.seat_map(
        lesson, seat_glances(make_summary(make_timeline([OK]), lesson, seats=(seat,))), charts.NARROW
    )
    assert seats.width / seats.height == pytest.approx(1280 / 720)
    mark = seats.marks[0]
    assert (mark.x, mark.y) == pytest.approx((240 * 360 / 1280, 245 * 360 / 1280))


def test_a_sparkline_breaks_where_the_seat_was_not_read():
    timeline = make_timeline([OK] * 9)
    _, path, dots = charts.sparkline(timeline, make_seat(1, timeline).over_time, 128, 26)
    assert path.count("M") == 2
    assert dots == ()


def test_the_methods_name_models_formula_and_rules():
    text = " ".join(report.methods(eight_seats()))
    parts = ("roomread 0.1.0", "120 frames, 2 per second", "YuNet (SHA-256 abababababab", "sum of p × w.")
    for part in (*parts, "bins of 1 s", "95% interval.", "at least 5 seats"):
        assert part in text
    assert "mouth were read" not in text and "of these probabilities" not in text
    mesh = make_lesson(made_with={"mesh": {"name": "Face mesh", "sha256": "cd" * 32}})
    text = " ".join(report.methods(make_summary(make_timeline([OK]), mesh)))
    assert "Head, eyes and mouth were read by Face mesh (SHA-256 cdcdcdcdcdcd" in text
    assert ("settings \N{MIDDLE DOT} fps", "2") in list(report.flat({"settings": {"fps": 2.0}}))


@pytest.mark.parametrize("highest", [0.0, 0.04, 1.0, 7.3, 8.0, 23.4, 140.0])
def test_a_value_axis_reaches_over_its_highest_value_in_few_round_steps(highest):
    ticks = shapes.value_ticks(highest)
    assert ticks[0] == 0
    assert ticks[-1] >= highest
    assert 2 <= len(ticks) <= 7


@pytest.mark.parametrize(("end", "most"), [(0.4, 5), (20, 10), (60, 5), (3600, 10), (3600, 5), (90000, 5)])
def test_a_time_axis_has_no_more_labels_than_fit(end, most):
    ticks = shapes.time_ticks(0.0, end, most)
    assert ticks[0] == 0
    assert ticks[-1] <= end
    assert len(ticks) <= most


def test_labels_keep_their_order_and_their_distance():
    placed = shapes.spread([50.0, 49.0, 51.0, 199.0, 200.0], 10.0, 200.0)
    order = np.argsort(placed)
    assert order.tolist() == [1, 0, 2, 3, 4]
    assert np.diff(np.sort(placed)).min() >= shapes.LABEL_GAP
    assert min(placed) >= 10
    assert max(placed) <= 200


def test_the_report_is_written_whole_and_leaves_nothing_beside_it(tmp_path):
    out = tmp_path / "lesson.html"
    out.write_text("old")
    assert report.write_report(eight_seats(), out) == out
    assert out.read_text(encoding="utf-8") == report.report_html(eight_seats())
    assert [path.name for path in tmp_path.iterdir()] == ["lesson.html"]


def test_a_report_that_cannot_be_written_says_so_and_leaves_nothing(tmp_path):
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "file").write_text("x")
    for out in (tmp_path / "folder.html", tmp_path / "file" / "r.html"):
        with pytest.raises(OutputError, match=r"cannot be written\. Expected: .* Received: .*"):
            report.write_report(eight_seats(), out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.html"]


def test_an_older_report_survives_a_failed_one(tmp_path, monkeypatch):
    out = tmp_path / "lesson.html"
    out.write_text("old")

    def fail(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OutputError, match="No space left"):
        report.write_report(eight_seats(), out)
    assert out.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1
