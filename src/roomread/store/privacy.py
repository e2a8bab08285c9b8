"""The one gate: whatever leaves the store for a page, a report, a table or a caller is read through here.

| purpose                        | sees                                                               |
|--------------------------------|--------------------------------------------------------------------|
| any                            | the class: at least MIN_SEATS seats, counted in each time bin      |
| research, with a reference     | single seats too                                                   |
| self-study                     | a single seat, while the lesson has only one                       |
| demo                           | everything, on the built-in synthetic room only                    |
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from roomread.errors import PrivacyError, SettingsError
from roomread.store.lessons import LessonStore
from roomread.types import (
    OK,
    PURPOSES,
    SPARSE,
    TOO_FEW,
    Change,
    ClassLine,
    Lesson,
    Overall,
    Readings,
    Share,
    Timeline,
)

MIN_SEATS = 5

NOTICE = """\
roomread infers expressions from faces. Before you use it on people:
- In the European Union, inferring emotions in schools, universities and
  workplaces is prohibited, save for medical or safety reasons (AI Act,
  Article 5(1)(f), since 2 February 2025). Other laws and your institution's
  rules apply everywhere; pictures of people need consent or another legal basis.
- Expressions are no read-out of feelings, and the score measures no person.
  Never grade, discipline or select anybody by it.
- The purpose that you declare is stored with the lesson. Every output shows at
  least five seats together; single seats are shown for research with an ethics
  or consent number, for yourself alone, and for the built-in demo.
- Nothing leaves this machine, save for a database that you name; no picture is
  kept."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What may be seen of a lesson.

    min_seats: seats that every shown number must be made of. single: whether single seats may be shown.
    rule: why, in one sentence.
    """

    min_seats: int
    single: bool
    rule: str


def check_purpose(purpose: str | None, reference: str | None) -> None:
    """Refuse a purpose that is not declared properly.

    Raises:
        SettingsError: no purpose, an unknown one, or an empty reference.
    """
    if purpose is None:
        raise SettingsError(
            f"A purpose is needed. Expected: --purpose {'|'.join(PURPOSES)}. It is stored with the lesson and decides "
            "what may be shown."
        )
    if purpose not in PURPOSES:
        raise SettingsError(f"There is no purpose {purpose!r}. Expected one of: {', '.join(PURPOSES)}.")
    if reference is not None and not reference.strip():
        raise SettingsError("The reference is empty. Expected: an ethics or consent number, or no --reference at all.")


def allowance(lesson: Lesson, n_seats: int) -> Allowance:
    """Return what may be seen of a lesson in which `n_seats` seats were found."""
    if lesson.purpose == "demo" and lesson.sample:
        return Allowance(1, True, "The built-in synthetic room shows nobody, so single seats are shown.")
    return allowance_for(lesson.purpose, lesson.reference, n_seats)


def allowance_for(purpose: str, reference: str | None, n_seats: int, alone: str = "seat") -> Allowance:
    """Return what a declared purpose lets see of real people.

    Args:
        purpose: one of PURPOSES.
        reference: ethics or consent number, None without one.
        n_seats: how many there are.
        alone: what one of them is called: the seat of a recording, the face in a picture.
    """
    if purpose == "research" and reference:
        return Allowance(1, True, f"Single {alone}s are shown for research under the reference {reference}.")
    if purpose == "self-study" and n_seats == 1:
        return Allowance(1, True, f"Self-study with one {alone}, so that {alone} is shown.")
    why = {
        "demo": "the purpose demo shows them for the built-in synthetic room only",
        "research": "research shows them only with --reference, an ethics or consent number",
        "self-study": f"self-study shows one only where there is one {alone}",
    }[purpose]
    where = ", counted in each time bin" if alone == "seat" else ""
    rule = f"Only at least {MIN_SEATS} {alone}s together are shown{where}; single {alone}s are not: {why}."
    return Allowance(MIN_SEATS, False, rule)


def hide(full: Timeline, seen: Allowance) -> Timeline:
    """Return the class over time as it may be seen: a bin of too few seats keeps nothing but the word for it."""
    found = full.readable + full.unreadable > 0
    hidden = found & (full.seats < seen.min_seats) & (not seen.single)
    blank: dict[str, Any] = {
        name: np.where(hidden, np.nan, getattr(full, name))
        for name in ("engagement", "low", "high", "readable", "unreadable", "seats")
    }
    return dataclasses.replace(
        full,
        status=np.where(hidden, TOO_FEW, full.status),
        emotions=np.where(hidden[:, None], np.nan, full.emotions),
        **blank,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Gate:
    """One lesson, readable as far as its purpose allows."""

    lesson: Lesson
    allowance: Allowance
    _readings: Readings

    def rows(self) -> Readings:
        """Return every reading of every seat.

        Raises:
            PrivacyError: single seats may not be seen.
        """
        if not self.allowance.single:
            raise PrivacyError(
                f"Rows of single seats of lesson {self.lesson.number} are refused. {self.allowance.rule}"
            )
        if self.lesson.purpose != "self-study":
            return self._readings
        return self._readings.of(np.isin(self._readings.seats, self._readings.established()))  # not who walks by

    def frames(self) -> int:
        """Return how many frames were analysed."""
        return len(self._readings.times)

    def span(self) -> tuple[float, float]:
        """Return when the analysed frames begin and end: seconds from the start of the source."""
        begin = float(self._readings.times[0]) if self.frames() else 0.0
        return begin, begin + self.lesson.duration

    def class_over_time(self, aggregate: Callable[[Readings], Timeline]) -> Timeline:
        """Return the class over time; a bin made of too few seats keeps nothing but the word for it."""
        return hide(aggregate(self._readings), self.allowance)

    def shares(self, aggregate: Callable[[Readings], Sequence[Share]]) -> tuple[Share, ...]:
        """Return how much of the class is in each state, without the bins that are made of too few seats."""
        return tuple(self._hide_share(full) for full in aggregate(self._readings))

    def _hide_share(self, full: Share) -> Share:
        hidden = (full.seats < self.allowance.min_seats) & (not self.allowance.single)
        return Share(*(np.where(hidden, np.nan, part) for part in (full.value, full.low, full.high, full.seats)))

    def changes(self, aggregate: Callable[[Readings], Change]) -> Change:
        """Return how parts of the lesson differ; a part made of too few seats keeps nothing but the word for it."""
        full = aggregate(self._readings)
        few = np.isin(full.status, (OK, SPARSE)) & (full.seats < self.allowance.min_seats)
        hidden = few & (not self.allowance.single)
        parts = (full.value, full.low, full.high, full.seats, full.covered)
        return Change(np.where(hidden, TOO_FEW, full.status), *(np.where(hidden, np.nan, part) for part in parts))

    def class_line(self, aggregate: Callable[[Readings], ClassLine]) -> ClassLine:
        """Return the class against its usual level; a step made of too few seats keeps nothing but a word."""
        full = aggregate(self._readings)
        few = (full.seats < self.allowance.min_seats) & (not self.allowance.single)
        hidden = few & (full.taken > 0)
        parts: dict[str, Any] = {
            name: np.where(hidden, np.nan, getattr(full, name)) for name in ("change", "low", "high", "seats", "taken")
        }
        parts["status"] = np.where(hidden & (full.status == OK), TOO_FEW, full.status)
        if not (parts["status"] == OK).any():
            parts |= {"usual": np.nan, "shared": np.nan}
        return dataclasses.replace(full, **parts)

    def whole_class(self, aggregate: Callable[[Readings], Overall]) -> Overall:
        """Return the class over the whole lesson, without the numbers that too few seats would make."""
        full = aggregate(self._readings)
        if self.allowance.single or (full.n_readable or 0) >= self.allowance.min_seats:
            return full
        nothing: dict[str, Any] = dict.fromkeys(("engagement", "low", "high", "faces_per_frame", "readable"), np.nan)
        return dataclasses.replace(
            full, emotions=np.full_like(full.emotions, np.nan), n_seats=None, n_readable=None, **nothing
        )


def open_gate(store: LessonStore, key: str) -> Gate:
    """Return the lesson that `key` names, by number, name or `last`, as far as its purpose allows.

    Raises:
        LessonNotFoundError: there is no such lesson.
    """
    lesson = store.find(key)
    readings = store.readings(lesson)
    return Gate(lesson, allowance(lesson, len(readings.established())), readings)
