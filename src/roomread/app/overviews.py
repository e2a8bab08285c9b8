"""The overview of a lesson: from the store where it is kept there, else made through the gate and kept."""

from __future__ import annotations

import contextlib
import dataclasses

from roomread.app.panel import WITHOUT_SIGNALS, mapping_of, panel
from roomread.engagement.mappings import Mapping
from roomread.errors import RoomreadError, SettingsError, StoreError
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
    gate = open_gate(store, lesson)
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


def named_mapping(lesson: Lesson, name: str | None) -> Mapping:
    """Return a mapping of the panel by its name, None the lesson's default one; a file is never read.

    Raises:
        SettingsError: the panel has none of that name.
    """
    if not name:
        return mapping_of(lesson)
    mappings = panel()
    if name not in mappings:
        raise SettingsError(f"There is no mapping {name[:80]!r}. Expected one of: {', '.join(mappings)}.")
    return mappings[name]


def listed_lessons(store: LessonStore, search: str = "", page: int = 1) -> Page:
    """Return a page of the lessons found, newest first, with the figures that are kept of them and still hold."""
    known = panel()
    heads, plain = known.get("glance", known[WITHOUT_SIGNALS]), known[WITHOUT_SIGNALS]
    found = list_lessons(store, (heads.name, plain.name), search, page)
    lessons = tuple(
        one
        if one.key == overview_key(one.lesson, heads if "mesh" in one.lesson.made_with else plain)
        else Listed(one.lesson, None, None)
        for one in found.lessons
    )
    return dataclasses.replace(found, lessons=lessons)
