"""The whole line, with the real models: a synthetic room goes in, and what comes out is held against its script."""

import json
from html.parser import HTMLParser

import numpy as np
import pytest

pytest.importorskip("skimage")

from roomread.app.analyze import AnalyzeSettings, Request, analyze_request
from roomread.demo import RoomSettings, build_room
from roomread.store.lessons import LessonStore

SETTINGS = RoomSettings(width=640, height=360, seconds=30.0, fps=10, seed=3)
FPS = 5


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    return build_room(SETTINGS, tmp_path_factory.mktemp("room"))


@pytest.fixture(scope="module")
def lesson(room, tmp_path_factory):
    store = LessonStore(tmp_path_factory.mktemp("store") / "lessons.sqlite")
    request = Request(room.video, "demo", None, AnalyzeSettings(fps=FPS, name="Room"), sample=True)
    return analyze_request(request, store)


@pytest.fixture(scope="module")
def rows(lesson):
    return lesson.to_pandas("seats")


@pytest.fixture(scope="module")
def places(room, rows):
    """For each scripted seat, the number that the tracker gave to the place."""
    middle = np.column_stack([rows.FaceRectX + rows.FaceRectWidth / 2, rows.FaceRectY + rows.FaceRectHeight / 2])
    found = {}
    for seat in room.truth["seats"]:
        near = np.linalg.norm(middle - seat["home"], axis=1) < seat["face_width"]
        found[seat["seat"]] = int(rows.seat[near & (rows.seat > 0)].mode()[0])
    return found


def spans(seat, *kinds):
    return [(event["start"], event["end"]) for event in seat["events"] if event["kind"] in kinds]


def test_as_many_seats_are_found_as_there_are(lesson, places):
    assert lesson.summary().n_seats == SETTINGS.seats
    assert len(set(places.values())) == SETTINGS.seats


def test_every_seat_that_shows_its_face_is_found_under_its_own_number(room, rows, places):
    for seat in room.truth["seats"]:
        times = np.sort(rows.time[rows.seat == places[seat["seat"]]].to_numpy())
        visible = np.array(seat["visible"], bool)
        frames = np.flatnonzero(visible[:: SETTINGS.fps // FPS]) / FPS
        seen = np.abs(times[None] - frames[:, None]).min(axis=1) < 0.5 / SETTINGS.fps
        assert seen.mean() >= 0.95, f"seat {seat['seat']}"


def test_who_is_away_is_missing_and_has_the_same_number_afterwards(room, rows, places):
    leavers = [seat for seat in room.truth["seats"] if spans(seat, "away")]
    assert leavers
    for seat in leavers:
        times = rows.time[rows.seat == places[seat["seat"]]]
        for start, end in spans(seat, "away"):
            assert not ((times > start + 0.1) & (times < end - 0.1)).any()
            assert (times > end + 1).any() or end > SETTINGS.seconds - 2


def test_an_absent_seat_lowers_no_score(lesson, room, places):
    leaver = next(seat for seat in room.truth["seats"] if spans(seat, "away"))
    start, end = spans(leaver, "away")[0]
    summary = lesson.summary()
    seat = next(seat for seat in summary.seats if seat.seat == places[leaver["seat"]])
    away = (summary.timeline.starts >= start) & (summary.timeline.starts + 1 <= end)
    assert away.any()
    assert np.isnan(seat.over_time[away]).all()
    here = summary.timeline.engagement[~away]
    assert np.abs(summary.timeline.engagement[away] - np.nanmedian(here)).max() < 0.1


def test_the_walker_has_no_face_and_no_seat(lesson):
    assert lesson.summary().faces_per_frame <= SETTINGS.seats


def test_heads_point_where_the_script_turned_them(room, rows, places):
    known = rows[rows.yaw.notna() & (rows.seat > 0)]
    assert len(known) > 300
    truth = {places[seat["seat"]]: seat for seat in room.truth["seats"]}
    frames = (known.time * SETTINGS.fps).round().astype(int)
    yaw, pitch = (
        np.array([truth[seat][name][frame] for seat, frame in zip(known.seat, frames, strict=True)])
        for name in ("yaw", "pitch")
    )
    assert abs(known.yaw - yaw).mean() < 3
    assert abs(known.pitch - pitch).mean() < 5
    elsewhere = (abs(yaw - np.median(yaw)) > 12) | (abs(pitch - np.median(pitch)) > 12)
    assert 0.05 < elsewhere.mean() < 0.6
    told = known.facing.notna()
    assert told.mean() > 0.9
    assert ((known.facing == 0) == elsewhere)[told].mean() > 0.95


class Titles(HTMLParser):
    def __init__(self):
        super().__init__()
        self.inside, self.titles = False, []

    def handle_starttag(self, tag, attrs):
        self.inside = tag == "h2"

    def handle_data(self, data):
        if self.inside:
            self.titles.append(data.strip())
            self.inside = False


def test_the_report_tells_the_whole_story_in_one_file(lesson, tmp_path):
    page = lesson.report(tmp_path / "report.html").read_text(encoding="utf-8")
    titles = Titles()
    titles.feed(page)
    for title in (
        "The lesson at a glance",
        "Class engagement over time",
        "Heads and eyes over time",
        "Coverage over time",
        "How it was made",
    ):
        assert title in titles.titles
    assert "it says nothing about people" in page
    assert lesson.lesson.made_with["expression"]["sha256"][:12] in page


def test_the_truth_says_where_the_room_comes_from(room):
    truth = json.loads(room.truth_file.read_text(encoding="utf-8"))
    assert "nothing about people" in truth["origin"]
