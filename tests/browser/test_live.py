"""A lesson with a camera, as a teacher goes through it: begin, mark, look away and back, stop, look back, delete."""

from __future__ import annotations

import io
import re

import av
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from roomread.types import MARKER

TOLD = re.compile(r"\d\.\d\d|[a-z]{3}")  # a number, or the reason why there is none
RUNNING = re.compile("^Running")
COUNT_COPIES = """
() => {
  const copy = VideoFrame.prototype.copyTo;
  window.copies = 0;
  VideoFrame.prototype.copyTo = function (...given) {
    window.copies += 1;
    return copy.apply(this, given);
  };
}
"""


@pytest.fixture
def begun(filmed):
    """The page of a lesson that this browser's camera gives, running."""
    return begin(filmed.open("/live"))


def begin(page):
    """Begin a lesson with this browser's camera, and return the page once it runs."""
    page.get_by_label("Name of the lesson").fill("Seven bees")
    page.locator("input[name=source][value=browser]").check()
    page.locator("#purpose").select_option("self-study")
    page.locator("#notice").check()
    page.locator("#begin").click()
    expect(page.locator("#state")).to_have_text(RUNNING)
    return page


def test_the_page_before_a_lesson_shuts_nobody_out(visitor, axe):
    page = visitor.open("/live")
    page.locator("#begin").wait_for()
    axe(page)


def test_without_the_notice_read_nothing_begins(visitor, served):
    page = visitor.open("/live")
    page.locator("#begin").click()
    page.wait_for_timeout(200)
    assert served.studio.live is None
    assert page.locator("#notice").evaluate("box => box.matches(':invalid')")


def test_a_lesson_from_its_beginning_to_its_deletion(begun, filmed, served, tmp_path):
    expect(begun.locator("#now")).to_have_text(TOLD)
    begun.locator("#mark-question").click()
    begun.locator("body").press("q")
    expect(begun.locator("#marker-list li")).to_have_count(2)

    other = filmed.open("/live")
    for page in (begun, other):
        expect(page.locator("#heading")).to_have_text("Seven bees")
        expect(page.locator("#state")).to_have_text(RUNNING)
        expect(page.locator("#marker-list li")).to_have_count(2)
        expect(page.locator("#now")).to_have_text(TOLD)

    frames = served.studio.live.view().glimpse.time
    begun.reload()
    expect(begun.locator("#state")).to_have_text(RUNNING)
    expect(begun.locator("#marker-list li")).to_have_count(2)
    begun.wait_for_function("() => window.roomreadDelay.length > 0")  # it sends pictures again, and they become numbers
    assert served.studio.live.view().glimpse.time > frames

    begun.locator("#stop").click()
    expect(other.locator("#over")).to_be_visible()
    begun.locator("#to-lesson").click()
    store = served.studio.store
    (lesson,) = store.lessons()
    assert begun.url == f"{served.address}/lessons/{lesson.number}"
    assert (lesson.name, lesson.state) == ("Seven bees", "complete")
    assert [(part.name, part.kind) for part in store.parts(lesson).values()] == [("Question", MARKER)] * 2

    with begun.expect_download() as coming:
        begun.locator("a[download][href*='report.html']").click()
    coming.value.save_as(tmp_path / "report.html")
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Seven bees" in report and "The lesson at a glance" in report

    begun.locator("[data-delete]").click()
    begun.locator("#delete button[value=delete]").click()
    begun.wait_for_url(re.compile("/lessons$"))
    assert store.lessons() == []
    assert len(store.readings(lesson)) == 0


def test_another_window_takes_over_and_the_first_lets_its_camera_go(begun, filmed, served, until):
    other = filmed.open("/live")
    expect(other.locator("#take-over")).to_be_visible()
    other.locator("#take-over").dblclick()
    expect(begun.locator("#take-over")).to_be_visible()
    expect(other.locator("#take-over")).to_be_hidden()
    tracks = "() => document.getElementById('camera').srcObject.getTracks().map((track) => track.readyState)"
    assert (begun.evaluate(tracks), other.evaluate(tracks)) == (["ended"], ["live"])
    live = served.studio.live
    before = live.view().glimpse.time
    until(lambda: live.view().glimpse.time > before, "pictures come from the other window")
    begun.reload()
    expect(begun.locator("#take-over")).to_be_visible()  # it does not take the pictures back by itself
    other.locator("#stop").click()
    expect(other.locator("#over")).to_be_visible()
    assert other.evaluate(tracks) == ["ended"]


def test_a_marker_that_is_not_kept_is_told_and_its_words_stay(begun, filmed):
    expect(begun.locator("#now")).to_have_text(TOLD)
    filmed.expected.append("Failed to load resource")
    begun.route("**/api/live/markers", lambda route: route.fulfill(status=503, json={"error": "The store is locked."}))
    begun.locator("#own").fill("A fire drill")
    begun.locator("#own").press("Enter")
    begun.wait_for_timeout(1500)
    expect(begun.locator("#problem")).to_have_text("The store is locked.")
    expect(begun.locator("#own")).to_have_value("A fire drill")
    expect(begun.locator("#said")).to_have_text("")


def test_a_pause_looks_at_nothing(begun, served, until):
    live = served.studio.live
    expect(begun.locator("#now")).to_have_text(TOLD)
    begun.locator("#pause").click()
    expect(begun.locator("#state")).to_have_text(re.compile("^Paused"))
    assert live.view().state == "paused"
    begun.wait_for_timeout(1000)
    before = live.view().glimpse.time
    begun.locator("body").press("p")
    expect(begun.locator("#state")).to_have_text(RUNNING)
    until(lambda: live.view().glimpse.time > before, "pictures come again")
    begun.locator("#stop").click()
    until(lambda: live.over, "the lesson has ended")
    (lesson,) = served.studio.store.lessons()
    assert any("Paused from" in note for note in lesson.notes)
    assert np.diff(served.studio.store.readings(lesson).times).max() > 0.9


def test_what_is_discarded_leaves_nothing(begun, served):
    expect(begun.locator("#now")).to_have_text(TOLD)
    begun.locator("#discard").click()
    begun.locator("#discard-yes").click()
    expect(begun.locator("#over")).to_be_visible()
    expect(begun.locator("#to-lesson")).to_be_hidden()
    assert served.studio.store.lessons() == []


def test_a_running_lesson_shuts_nobody_out(begun, axe):
    expect(begun.locator("#now")).to_have_text(TOLD)
    axe(begun)


@pytest.mark.parametrize("way", ["copied", "drawn"])
def test_what_the_camera_shows_is_sent_in_its_own_colours(filmed, film, way):
    page, sent = filmed.open("/live"), []
    page.evaluate(COUNT_COPIES if way == "copied" else "delete window.VideoFrame")  # not every browser knows it

    def read(line):
        if line.url.endswith("/frames"):
            line.on("framesent", lambda message: sent.append(message))

    page.on("websocket", read)
    begin(page)
    page.wait_for_function("() => window.roomreadDelay.length > 0")
    picture = np.asarray(Image.open(io.BytesIO(sent[-1][8:])), np.float32)
    with av.open(str(film)) as container:
        shown = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(np.float32)
    assert picture.shape == shown.shape
    assert np.abs(np.median(picture - shown, axis=(0, 1))).max() < 16  # the camera's idea of black is another one
    redder = [(image[..., 0] - image[..., 2]).ravel() for image in (picture, shown)]
    assert np.corrcoef(redder)[0, 1] > 0.9
    assert way == "drawn" or page.evaluate("window.copies") > 0
