"""The overview of a lesson: from the store where it is kept there, else made through the gate and kept."""

from __future__ import annotations

import contextlib
import dataclasses

from roomread.app.panel import mapping_of, named_mapping
from roomread.engagement.mappings import Mapping
from roomread.errors import RoomreadError, StoreError
from roomread.review.overview import Overview, overview, overview_from, overview_key
from roomread.store.lessons import LessonStore
from roomread.store.privacy import open_gate
from roomread.store.summaries import Kept, Listed, Page, list_lessons, read_summary, write_summary
from roomread.types import Lesson


def overview_of(store: LessonStore, lesson: Lesson, mapping: Mapping) -> Overview:
    """Return what may be seen of a lesson; what was made of one that runs is not kept, nor where nothing can be."""
    kept = kept_overview(store, lesson, mapping)
    if kept is not None:
        return kept
    gate = open_gate(store, store.numbered(lesson.number))  # as it is now
    made = overview(gate, mapping)
    if gate.lesson.state != "running":
        key = overview_key(gate.lesson, mapping)
        with contextlib.suppress(StoreError):  # a database may be ours to read alone
            write_summary(store, gate.lesson, mapping.name, Kept(key, *made.as_stored()))
    return made


def kept_overview(store: LessonStore, lesson: Lesson, mapping: Mapping) -> Overview | None:
    """Return the overview that is kept of a lesson; None where there is none that still holds."""
    if lesson.state == "running":
        return None
    kept = read_summary(store, lesson, mapping.name, overview_key(lesson, mapping))
    return None if kept is None else overview_from(mapping.name, kept.figures, kept.series)


def keep_overview(store: LessonStore, number: int) -> None:
    """Make the overview of a lesson that has ended, so that its page need not wait.

    What goes wrong here is told to whoever asks for it later.
    """
    with contextlib.suppress(RoomreadError):
        lesson = store.numbered(number)
        overview_of(store, lesson, mapping_of(lesson))


def asked_mapping(lesson: Lesson, name: str | None) -> Mapping:
    """Return the mapping of the panel that a page asks for, by its name; none or "" takes the lesson's default one.

    Raises:
        SettingsError: the panel has none of that name.
    """
    return named_mapping(name or None, "mesh" in lesson.made_with)


def listed_lessons(store: LessonStore, search: str = "", page: int = 1) -> Page:
    """Return a page of the lessons found, newest first, with the figures that are kept of them and still hold."""
    defaults = [named_mapping(None, signals).name for signals in (True, False)]
    found = list_lessons(store, (defaults[0], defaults[1]), search, page)
    lessons = tuple(
        one if one.key == overview_key(one.lesson, mapping_of(one.lesson)) else Listed(one.lesson, None, None)
        for one in found.lessons
    )
    return dataclasses.replace(found, lessons=lessons)
