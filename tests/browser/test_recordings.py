"""Own recordings, as their owner adds them: dropped or chosen, looked at, left alone, cancelled, and looked back at."""

from __future__ import annotations

import base64
import hashlib
import re

import av
import pytest
from playwright.sync_api import expect

from roomread.app.spool import LOCK
from roomread.store.recordings import Recording, Recordings

DROPPED = """
(drop, [name, data]) => {
  const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
  const given = new DataTransfer();
  if (name) given.items.add(new File([bytes], name, { type: "video/x-matroska" }));
  for (const type of ["dragenter", "dragover", "drop"]) {
    drop.dispatchEvent(new DragEvent(type, { dataTransfer: given, bubbles: true, cancelable: true }));
  }
}
"""


@pytest.fixture(scope="module")
def recording(film, tmp_path_factory):
    """The film as a recording: a Matroska file of the same pictures."""
    path = tmp_path_factory.mktemp("recordings") / "Tuesday, 2nd hour.mkv"
    with av.open(str(film)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    return path


@pytest.fixture
def teaching(served, monkeypatch):
    """A lesson seems to run until the test calls this; recordings wait for it."""
    runs = [True]
    monkeypatch.setattr(served.studio.queue, "_held", lambda: bool(runs))
    yield runs.clear
    runs.clear()


@pytest.fixture
def page(visitor):
    """The page of recordings, empty."""
    return visitor.open("/recordings")


def fill_in(page, path=None):
    """Say what a recording is for, and that the notice was read; choose the file, where there is one."""
    if path is not None:
        page.get_by_label("Drop videos here").set_input_files(path)
        expect(page.locator("#drop")).to_contain_text(path.name)
    page.get_by_label("Self-study").check()
    page.get_by_label("I have read this").check()


def row(page, state):
    """Return the row of the only recording once it is in that state."""
    found = page.locator(f"#list li[data-state={state}]")
    expect(found).to_have_count(1)
    return found


def lying(served):
    """Return the names of the copies that lie in the spool folder."""
    return {path.name for path in served.studio.queue.spool.folder.iterdir()} - {LOCK}


def test_the_page_of_recordings_shuts_nobody_out(visitor, served, lesson, axe):
    axe(visitor.open("/recordings"))
    rows, kept = Recordings(served.studio.store), served.studio.store.add(lesson())
    ends = {"done": {"lesson": kept.number}, "failed": {"message": "It holds no pictures."}, "cancelled": {}}
    for state, more in ends.items():
        asked = Recording(
            name=f"{'a-long-name-without-a-space-' * 4}{state}.mp4",
            purpose="research",
            reference=None,
            settings={"fps": 5.0},
        )
        rows.update(rows.add(asked).number, state=state, **more)
    page = visitor.open("/recordings")
    expect(page.locator("#list li")).to_have_count(3)
    axe(page)


def test_a_recording_from_the_choice_to_the_lesson(page, served, recording, teaching):
    before = hashlib.sha256(recording.read_bytes()).digest()
    fill_in(page, recording)
    page.get_by_role("button", name="Analyse").click()
    expect(row(page, "running").locator("progress")).to_be_visible()
    expect(page.locator("#told")).to_have_text(re.compile("^Added: "))
    assert len(lying(served)) == 1

    page.get_by_role("link", name="Lessons").click()
    page.wait_for_url("**/lessons")
    page.get_by_role("link", name="Recordings").click()
    expect(row(page, "running")).to_contain_text("Tuesday, 2nd hour.mkv")
    teaching()
    row(page, "done").get_by_role("link", name="See the lesson").click()

    (lesson,) = served.studio.store.lessons()
    assert page.url == f"{served.address}/lessons/{lesson.number}"
    assert (lesson.name, lesson.state, lesson.purpose) == ("Tuesday, 2nd hour", "complete", "self-study")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Tuesday, 2nd hour")
    assert lying(served) == set()
    assert hashlib.sha256(recording.read_bytes()).digest() == before


def test_what_is_dropped_is_cancelled_while_it_runs_and_while_it_waits(page, served, recording, teaching, until):
    page.on("dialog", lambda dialog: dialog.accept())
    data = base64.b64encode(recording.read_bytes()).decode()
    for name, state in (("first.mkv", "running"), ("second.mkv", "waiting")):
        page.locator("#drop").evaluate(DROPPED, [name, data])
        expect(page.locator("#drop")).to_contain_text(name)
        fill_in(page)
        page.get_by_role("button", name="Analyse").click()
        expect(row(page, state)).to_contain_text(name)
    assert len(lying(served)) == 2

    page.get_by_role("button", name=re.compile("Cancel.*second")).click()
    expect(row(page, "cancelled")).to_contain_text("second.mkv")
    expect(page.locator("#told")).to_have_text("second.mkv: Cancelled, nothing was kept")
    assert len(lying(served)) == 1
    page.get_by_role("button", name=re.compile("Cancel.*first")).click()
    expect(page.locator("li[data-state=cancelled]")).to_have_count(2)
    until(lambda: not lying(served), "no copy is left")
    assert served.studio.store.lessons() == []
    page.get_by_role("button", name=re.compile("Remove.*second")).click()
    expect(page.locator("#list li")).to_have_count(1)


def test_what_is_no_video_is_refused_in_words(page, visitor, served, tmp_path):
    visitor.expected.append("Failed to load resource: the server responded with a status of 400")
    page.locator("#drop").evaluate(DROPPED, ["", ""])
    expect(page.get_by_role("alert")).to_contain_text("That holds no file")
    path = tmp_path / "lesson.mp4"
    path.write_text("This is not a film.\n" * 100)
    fill_in(page, path)
    page.get_by_role("button", name="Analyse").click()
    expect(page.get_by_role("alert")).to_contain_text("lesson.mp4")
    expect(page.get_by_role("alert")).to_contain_text("Expected")
    assert page.locator("#list li").count() == 0
    assert lying(served) == set()
    expect(page.get_by_role("button", name="Analyse")).to_be_enabled()


def test_what_failed_by_the_store_is_tried_again_from_the_list(visitor, served, recording, teaching):
    queue, spool = served.studio.queue, served.studio.queue.spool
    asked = Recording(name="first.mkv", purpose="self-study", reference=None, settings={"fps": 5.0}, spool=spool.key)
    number = queue.rows.add(asked).number
    queue.rows.update(number, state="failed", message="The disk is full.")
    spool.file(number).write_bytes(recording.read_bytes())
    page = visitor.open("/recordings")
    expect(row(page, "failed")).to_contain_text("The disk is full.")
    page.get_by_role("button", name=re.compile("Try again.*first")).click()
    expect(row(page, "running")).not_to_contain_text("The disk is full.")
    expect(page.get_by_role("button", name=re.compile("Cancel.*first"))).to_be_focused()
    teaching()
    expect(row(page, "done").get_by_role("link", name="See the lesson")).to_be_visible()
    assert lying(served) == set()
