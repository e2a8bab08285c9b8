import dataclasses
import math
import sqlite3
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image as Pictures

import roomread
from roomread.app import observing, recording
from roomread.app.analyze import AnalyzeSettings, analyze, moment_now, open_lesson, parse_moment, plain_settings
from roomread.app.batch import BatchSettings
from roomread.app.overviews import listed_lessons
from roomread.errors import (
    LessonNotFoundError,
    ModelError,
    OutputError,
    PrivacyError,
    SettingsError,
    SourceError,
    StoreError,
)
from roomread.store.lessons import LessonStore
from roomread.types import ACTIVITY, N_EMOTIONS, N_SIGNALS, Observation, Part, Tracks
from roomread.watch.annotate import AnnotatedVideo
from roomread.watch.frames import FrameSettings, VideoSource
from roomread.watch.masks import GRAY, MaskSettings

RESEARCH: dict[str, Any] = {"purpose": "research", "reference": "IRB 7"}


@pytest.fixture
def clip(tmp_path, write_video):
    """Three seconds of an empty gray room, ten frames a second."""
    return write_video(tmp_path / "room.mp4", [np.full((90, 160, 3), 120, np.uint8)] * 30, 10)


@pytest.fixture
def db(tmp_path):
    return tmp_path / "lessons.sqlite"


def test_a_video_without_a_face_is_missing_data_not_low_engagement(clip, db):
    lesson = analyze(clip, **RESEARCH, db=db)
    table = lesson.to_pandas()
    assert table.status.tolist() == ["no face"] * 3
    assert table.engagement.isna().all()
    assert lesson.summary().engagement != lesson.summary().engagement  # NaN
    assert lesson.lesson.duration == pytest.approx(3.0, abs=0.2)
    assert lesson.lesson.state == "complete"


def test_the_overview_of_a_lesson_lies_ready_when_its_analysis_ends(clip, db):
    analyze(clip, purpose="research", db=db)
    (listed,) = listed_lessons(LessonStore(db)).lessons
    assert listed.figures is not None and listed.figures["summary"]["engagement"] is None


def test_the_lesson_says_how_it_was_made(clip, db):
    settings = AnalyzeSettings(fps=math.inf, name="Monday", began="2026-11-22T09:15+01:00")
    lesson = analyze(clip, **RESEARCH, db=db, settings=settings).lesson
    assert lesson.name == "Monday"
    assert lesson.began == parse_moment("2026-11-22T09:15+01:00")
    assert lesson.made_with["settings"]["fps"] == "native"
    assert len(lesson.made_with["expression"]["sha256"]) == 64
    assert (lesson.width, lesson.height) == (160, 90)


def test_a_single_picture_and_a_folder_are_lessons_too(tmp_path, db):
    from PIL import Image as Pictures

    for name in "ab":
        Pictures.fromarray(np.full((60, 80, 3), 99, np.uint8)).save(tmp_path / f"{name}.png")
    (tmp_path / "c.png").write_bytes(b"broken")
    assert analyze(tmp_path / "a.png", **RESEARCH, db=db).lesson.duration == 0
    folder = analyze(tmp_path, **RESEARCH, db=db).lesson
    assert folder.notes == ("1 of 3 pictures could not be read: c.png.",)


@pytest.mark.parametrize("bad", ["missing.mp4", "text.mp4", "empty.mp4", "noise.bin", "nothing"])
def test_a_bad_source_leaves_the_store_as_it_was(tmp_path, db, bad):
    (tmp_path / "text.mp4").write_text("hello\n" * 99)
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "noise.bin").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "nothing").mkdir()
    LessonStore(db)
    before = db.read_bytes()
    with pytest.raises(SourceError):
        analyze(tmp_path / bad, **RESEARCH, db=db)
    assert db.read_bytes() == before


def test_a_span_beyond_the_video_is_refused_and_leaves_no_lesson(clip, db):
    with pytest.raises(SourceError, match="holds no frame"):
        analyze(clip, **RESEARCH, db=db, settings=AnalyzeSettings(start=50))
    assert LessonStore(db).lessons() == []


@pytest.mark.parametrize("purpose", [None, "fun"])
def test_a_purpose_must_be_declared(clip, db, purpose):
    with pytest.raises(SettingsError, match="purpose"):
        analyze(clip, purpose=purpose, db=db)
    assert not db.exists()


def test_a_model_without_its_card_is_refused(clip, db, tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"x")
    with pytest.raises(ModelError, match="has no card"):
        analyze(clip, **RESEARCH, db=db, settings=AnalyzeSettings(model=tmp_path / "m.onnx"))


def interrupted(after):
    def observe(frames, *_):
        for number, frame in enumerate(frames):
            if number == after:
                raise KeyboardInterrupt
            tracks = Tracks(np.array([1]), np.array([[1, 1, 9, 9]], np.float32), np.array([1], np.float32))
            emotions = np.full((1, N_EMOTIONS), 1 / N_EMOTIONS, np.float32)
            signals = np.full((1, N_SIGNALS), np.nan, np.float32)
            yield frame, Observation(frame.time, frame.index, tracks, emotions, np.array([1], np.float32), signals)

    return observe


def test_ctrl_c_keeps_what_was_seen(clip, db, monkeypatch):
    monkeypatch.setattr(observing, "observe", interrupted(after=6))
    lesson = analyze(clip, **RESEARCH, db=db)
    assert lesson.lesson.state == "stopped"
    assert "Stopped by hand at 1.0 s." in lesson.lesson.notes
    assert len(lesson.to_pandas("seats")) == 6


def test_ctrl_c_before_the_first_frame_leaves_no_lesson(clip, db, monkeypatch):
    monkeypatch.setattr(observing, "observe", interrupted(after=0))
    with pytest.raises(KeyboardInterrupt):
        analyze(clip, **RESEARCH, db=db)
    assert LessonStore(db).lessons() == []


def test_a_video_that_cannot_be_annotated_further_leaves_no_lesson_running(clip, db, tmp_path, monkeypatch):
    def fail(*_):
        raise OutputError("The video cannot be written: no space left.")

    monkeypatch.setattr(AnnotatedVideo, "add", fail)
    with pytest.raises(OutputError):
        analyze(clip, **RESEARCH, db=db, settings=AnalyzeSettings(annotated=tmp_path / "a.mp4"))
    lesson = open_lesson("last", db).lesson
    assert lesson.state == "stopped"
    assert lesson.notes == ("The analysis broke off here: The video cannot be written: no space left.",)


def test_a_folder_gives_its_whole_name_however_it_is_called(db, tmp_path, monkeypatch):
    folder = tmp_path / "2026.11.23"
    folder.mkdir()
    Pictures.fromarray(np.full((60, 80, 3), 99, np.uint8)).save(folder / "a.png")
    assert analyze(folder, **RESEARCH, db=db).lesson.name == "2026.11.23"
    monkeypatch.chdir(folder)
    lesson = analyze(Path(), **RESEARCH, db=db).lesson
    assert lesson.name == lesson.source == "2026.11.23"


def test_a_handle_never_shows_another_lesson_whose_name_is_its_number(clip, db):
    lesson = analyze(clip, **RESEARCH, db=db)
    store = LessonStore(db)
    store.delete(lesson.lesson)
    store.add(dataclasses.replace(analyze(clip, **RESEARCH, db=db).lesson, name=str(lesson.number)))
    with pytest.raises(LessonNotFoundError):
        lesson.summary()


def test_what_was_seen_is_written_while_the_analysis_runs(clip, db, monkeypatch):
    monkeypatch.setattr(recording, "KEEP_EVERY", 0.0)
    seen = []

    def progress(_):
        with sqlite3.connect(db) as connection:
            seen.append(connection.execute("select count(*) from frames").fetchone()[0])
        connection.close()

    analyze(clip, **RESEARCH, db=db, progress=progress)
    assert seen == list(range(1, len(seen) + 1))


def test_a_full_disk_is_told_and_keeps_what_was_written_before(clip, db, monkeypatch):
    monkeypatch.setattr(recording, "KEEP_EVERY", 0.0)
    append, calls = LessonStore.append, []

    def fail_later(self, lesson, observations, **how):
        calls.append(1)
        if len(calls) == 4:
            raise StoreError("The store cannot be used: database or disk is full.")
        append(self, lesson, observations, **how)

    monkeypatch.setattr(LessonStore, "append", fail_later)
    with pytest.raises(StoreError, match="disk is full"):
        analyze(clip, **RESEARCH, db=db)
    lesson = open_lesson("last", db)
    assert lesson.lesson.state == "stopped"
    assert "store could not be written" in lesson.lesson.notes[0]
    assert len(lesson.to_pandas("class")) >= 1


def test_parts_that_are_kept_with_a_lesson_stand_in_its_report(clip, db, tmp_path):
    lesson = analyze(clip, **RESEARCH, db=db)
    LessonStore(db).add_parts(lesson.lesson, [Part("Group work", 0.5, 1.0, ACTIVITY)])
    assert [row.part.name for row in lesson.structure().rows] == ["Group work"]
    assert "Group work" in lesson.report(tmp_path / "report.html").read_text(encoding="utf-8")


def test_single_seats_are_refused_without_a_reference(clip, db):
    lesson = analyze(clip, purpose="research", db=db)
    with pytest.raises(PrivacyError, match="only with --reference"):
        lesson.to_pandas("seats")
    with pytest.raises(PrivacyError):
        lesson.export(db.parent, table="seats")
    assert isinstance(lesson.to_pandas(), pd.DataFrame)


def test_the_demo_purpose_does_not_open_an_ordinary_video(clip, db):
    with pytest.raises(PrivacyError, match="synthetic room only"):
        analyze(clip, purpose="demo", db=db).to_pandas("seats")


def test_a_lesson_is_found_again_by_number_name_and_last(clip, db):
    made = analyze(clip, **RESEARCH, db=db)
    for key in (made.number, str(made.number), "room", "last"):
        assert open_lesson(key, db).number == made.number
    with pytest.raises(LessonNotFoundError, match="no lesson 'absent'"):
        open_lesson("absent", db)


def test_a_lesson_that_is_named_like_a_number_does_not_stand_for_the_one_deleted(clip, db):
    made = analyze(clip, **RESEARCH, db=db)
    store = LessonStore(db)
    store.add(dataclasses.replace(made.lesson, name=str(made.number)))
    store.delete(made.lesson)
    for read in (made.summary, lambda: made.lesson):
        with pytest.raises(LessonNotFoundError, match="may have been deleted"):
            read()


@pytest.mark.parametrize(
    "values", [{"threads": 0}, {"device": "tpu"}, {"fps": 0.0}, {"began": "yesterday"}, {"start": 9.0, "end": 2.0}]
)
def test_settings_out_of_range_are_refused_in_words(values):
    with pytest.raises(ValueError, match="Received"):
        AnalyzeSettings(**values)


@pytest.mark.parametrize("name", ["", " ", "two\nlines", "a" * 201])
def test_a_name_that_no_page_could_show_is_refused(name):
    with pytest.raises(SettingsError, match=r"The lesson's name cannot be used\. Expected: 1 to 200 letters"):
        AnalyzeSettings(name=name)
    with pytest.raises(SettingsError, match="The course cannot be used"):
        BatchSettings(course=name)


def test_every_public_name_can_be_imported():
    for name in roomread.__all__:
        assert getattr(roomread, name) is not None
    assert set(roomread.__all__) <= set(dir(roomread))
    with pytest.raises(AttributeError, match="no attribute 'absent'"):
        _ = roomread.absent


def test_nobody_in_a_masked_zone_is_found_read_or_drawn(db, tmp_path):
    face = pytest.importorskip("skimage.data").astronaut()[:256, 100:356]
    two = np.concatenate([face, face], axis=1)
    Pictures.fromarray(two).save(tmp_path / "two.png")
    masks = MaskSettings(fractions=((0, 0, 0.5, 1),))
    both = analyze(tmp_path / "two.png", **RESEARCH, db=db).to_pandas("seats")
    one = analyze(
        tmp_path / "two.png", **RESEARCH, db=db,
        settings=AnalyzeSettings(masks=masks, annotated=tmp_path / "drawn.mp4", show_faces=True),
    ).to_pandas("seats")  # fmt: skip
    assert len(both) == 2
    assert (one["FaceRectX"] > 256).tolist() == [True]
    (frame,) = VideoSource(tmp_path / "drawn.mp4", FrameSettings()).frames()
    assert abs(frame.image[40:, 10:246].astype(int) - GRAY).max() < 12  # what compression makes of flat gray


def test_what_is_kept_of_the_settings_does_not_say_what_was_drawn(tmp_path):
    drawn = AnalyzeSettings(annotated=tmp_path / "drawn.mp4", show_faces=True)
    assert plain_settings(drawn) == plain_settings(AnalyzeSettings())


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows has one time zone for all programs")
def test_a_lesson_is_made_on_the_day_that_it_is_here(monkeypatch):
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    try:
        assert moment_now()[-6:] in ("+12:00", "+13:00")
    finally:
        monkeypatch.undo()
        time.tzset()
