"""Overviews of stored lessons: made once, made anew when out of date, and never kept of a lesson that runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from roomread.app import overviews
from roomread.app.overviews import asked_mapping, keep_overview, kept_overview, listed_lessons, overview_of
from roomread.engagement.mappings import PUBLISHED
from roomread.errors import SettingsError
from roomread.store.lessons import LessonStore
from roomread.types import Lesson, Observation

SHARMA = next(mapping for mapping in PUBLISHED if mapping.name == "sharma")
Keep = Callable[..., Lesson]


@pytest.fixture
def keep(store: LessonStore, lesson: Callable[..., Lesson], observation: Callable[..., Observation]) -> Keep:
    """A function that keeps a lesson of so many seats."""

    def keep(seats: int = 6, **changes: object) -> Lesson:
        faces = [(seat, "happy") for seat in range(1, seats + 1)]
        return store.add(lesson(**changes), [observation(i, i / 2, faces) for i in range(20)])

    return keep


def test_an_overview_is_made_once(store: LessonStore, keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = keep()
    made = overview_of(store, kept, SHARMA)
    monkeypatch.setattr(overviews, "open_gate", None)  # no row may be asked for again
    assert overview_of(store, kept, SHARMA).figures == made.figures


def test_one_that_is_out_of_date_is_made_again(store: LessonStore, keep: Keep) -> None:
    kept = keep()
    overview_of(store, kept, SHARMA)
    assert kept_overview(store, kept, SHARMA) is not None
    other = dataclasses.replace(SHARMA, formula="another")
    assert kept_overview(store, kept, other) is None
    overview_of(store, kept, other)
    assert kept_overview(store, kept, SHARMA) is None  # it stood in the same place


def test_of_a_lesson_that_runs_nothing_is_kept(store: LessonStore, keep: Keep) -> None:
    running = keep(state="running")
    assert overview_of(store, running, SHARMA).figures["seats"] == 6
    assert kept_overview(store, running, SHARMA) is None


def test_a_kept_overview_shows_no_more_than_the_gate(store: LessonStore, keep: Keep) -> None:
    few, many, research = keep(4), keep(6), keep(6, reference="EC 12/26")
    for each in (few, many, research):
        overview_of(store, each, SHARMA)
    shown = {each.number: kept_overview(store, each, SHARMA) for each in (few, many, research)}
    figures = [seen.figures["engagement"] for seen in shown.values() if seen is not None]
    assert figures[0] is None and None not in figures[1:]
    assert [len(seen.seats) for seen in shown.values() if seen is not None] == [0, 0, 6]


def test_the_list_leaves_out_figures_that_no_longer_hold(store: LessonStore, keep: Keep) -> None:
    kept = keep()
    keep_overview(store, kept.number)
    assert listed_lessons(store).lessons[0].figures is not None
    store.append(dataclasses.replace(kept, state="stopped"), [])
    assert listed_lessons(store).lessons[0].figures is None


def test_a_lesson_that_is_gone_when_its_overview_is_made_is_no_error(store: LessonStore) -> None:
    keep_overview(store, 7)


@pytest.mark.parametrize("name", ["/etc/passwd.json", "calibration.json", "no such"])
def test_only_the_panel_is_named_and_no_file_is_read(lesson: Callable[..., Lesson], name: str) -> None:
    with pytest.raises(SettingsError, match="no mapping"):
        asked_mapping(lesson(), name)
