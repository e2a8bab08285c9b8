"""The one gate: whatever leaves the store for a page, a report, a table or a caller is read through here.

| purpose                        | sees                                                               |
|--------------------------------|--------------------------------------------------------------------|
| any                            | the class: at least MIN_SEATS seats, counted in each time bin      |
| research, with a reference     | single seats too                                                   |
| self-study                     | a single seat, while the lesson has only one                       |
| demo                           | everything, on the built-in synthetic room only                    |

Where single seats may not be seen, two answers must not tell together what neither tells alone:

- A reading counts only where at least MIN_SEATS seats were read within the same moment. So no answer about more of the
  lesson depends on a stretch that another answer hides, and taking one from the other leaves nothing of it.
- Parts of a lesson begin and end with a moment (`Gate.moments`), and no bin is shorter than one.
- What is told of the class's engagement, expressions and attention is given in whole hundredths. How many faces were
  found and read, how much of a part is covered, and how far seats move together are no such numbers, and keep theirs.

The same holds of a lesson as it runs (`just_past`), whose readings count by the same moments for ever after.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from roomread.errors import PrivacyError, SettingsError
from roomread.store.lessons import LessonStore
from roomread.types import (
    NOT_ENOUGH,
    OK,
    PURPOSES,
    SPARSE,
    TOO_FEW,
    UNREADABLE,
    Array,
    Change,
    ClassLine,
    Episode,
    Lesson,
    Overall,
    Readings,
    Share,
    Timeline,
    trusted,
)

MIN_SEATS = 5
MOMENTS = {120.0: 1.0, 240.0: 2.0, math.inf: 5.0}  # seconds, of lessons up to so many seconds; bins are multiples
LIVE_MOMENT = 1.0  # seconds, of lessons as they run
DIGITS = 2  # after the point
SHOWN_LIVE = "shown_live"  # in a lesson's `made_with`: it was shown as it ran

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

    single: whether single seats may be shown; else every number is made of at least MIN_SEATS.
    rule: why, in one sentence.
    """

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
        return Allowance(True, "The built-in synthetic room shows nobody, so single seats are shown.")
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
        return Allowance(True, f"Single {alone}s are shown for research under the reference {reference}.")
    if purpose == "self-study" and n_seats == 1:
        return Allowance(True, f"Self-study with one {alone}, so that {alone} is shown.")
    why = {
        "demo": "the purpose demo shows them for the built-in synthetic room only",
        "research": "research shows them only with --reference, an ethics or consent number",
        "self-study": f"self-study shows one only where there is one {alone}",
    }[purpose]
    where = ", counted in each time bin" if alone == "seat" else ""
    rule = f"Only at least {MIN_SEATS} {alone}s together are shown{where}; single {alone}s are not: {why}."
    return Allowance(False, rule)


def hide(full: Timeline, seen: Allowance, unread: Array | bool = False) -> Timeline:
    """Return the class over time as it may be seen: a bin of too few seats keeps nothing but the word for it.

    Args:
        full: the class over time.
        seen: what may be seen.
        unread: bool (n,), bins of enough seats none of which has a score, which says nothing of any one of them.
    """
    found = full.readable + full.unreadable > 0
    hidden = found & (full.seats < MIN_SEATS) & ~np.asarray(unread) & (not seen.single)
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


def together(readings: Readings, moment: float) -> tuple[Readings, Array]:
    """Return readings without the values of moments in which too few seats were read, and whose faces lost theirs.

    Each value counts by itself: the seats of a moment may be read for expressions and too few of them for heads. A
    signal also goes where some seats, but too few, have one that is to be trusted, or one of a face whose expression is
    read: formulas and attention look at such alone.

    Args:
        readings: of the whole lesson.
        moment: seconds; moments lie at whole multiples of their length.

    Returns:
        The readings, NaN in place of what is left out; bool (n,), the faces whose expression is left out.
    """
    moments = (readings.times // moment).astype(np.int64)[readings.frames]
    moments -= moments.min(initial=0)
    seats = readings.established()
    seated = np.isin(readings.seats, seats)
    shape = (int(moments.max(initial=0)) + 1, max(len(seats), 1))
    cells = moments * shape[1] + np.searchsorted(seats, readings.seats)

    def few(known: Any, least: int = 0) -> Array:
        here = np.bincount(cells[seated & known], minlength=shape[0] * shape[1]).reshape(shape) > 0
        n = here.sum(axis=1)
        faces: Array = ((n >= least) & (n < MIN_SEATS))[moments]
        return faces

    read = ~np.isnan(readings.emotions).any(axis=1)
    lost = read & few(read)
    pairs = zip(~np.isnan(readings.signals).T, ~np.isnan(trusted(readings.signals)).T, strict=True)
    unknown = np.stack(
        [known & (few(known) | few(known & read, 1) | few(sure, 1) | few(sure & read, 1)) for known, sure in pairs],
        axis=1,
    )
    emotions = np.where(lost[:, None], np.float32(np.nan), readings.emotions)
    signals = np.where(unknown, np.float32(np.nan), readings.signals)
    return dataclasses.replace(readings, emotions=emotions, signals=signals), lost


@dataclass(frozen=True, eq=False)
class Gate:
    """One lesson, readable as far as its purpose allows."""

    lesson: Lesson
    allowance: Allowance
    _readings: Readings

    @cached_property
    def _seen(self) -> tuple[Readings, Array]:
        """What answers about the class are made of, and bool (n,), the faces that do not count in them."""
        # Were a lesson that was shown as it ran counted by longer moments later, what it hid then could be worked out.
        moment = LIVE_MOMENT if SHOWN_LIVE in self.lesson.made_with else self.moment
        return _counted(self._readings, self.allowance, moment)

    @property
    def moment(self) -> float:
        """Seconds within which readings count together; no bin may be shorter where single seats may not be seen."""
        return _moment_of(self.lesson.duration)

    def moments(self, spans: Array) -> Array:
        """Return spans that begin and end where the purpose lets them: float64 (n, 2), seconds, as they came."""
        if self.allowance.single:
            return spans
        begins, ends = np.round(spans / self.moment).T * self.moment
        return np.stack([begins, np.maximum(ends, begins + self.moment)], axis=1)  # NaN stays NaN

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
        return _over_time(self._readings, self._seen, self.allowance, aggregate)

    def shares(self, aggregate: Callable[[Readings], Sequence[Share]]) -> tuple[Share, ...]:
        """Return how much of the class is in each state, without the bins that are made of too few seats."""
        return tuple(_rounded(self._hide_share(full), self.allowance) for full in aggregate(self._seen[0]))

    def _hide_share(self, full: Share) -> Share:
        hidden = (full.seats < MIN_SEATS) & (not self.allowance.single)
        return Share(*(np.where(hidden, np.nan, part) for part in (full.value, full.low, full.high, full.seats)))

    def changes(self, aggregate: Callable[[Readings], Change]) -> Change:
        """Return how parts of the lesson differ; a part made of too few seats keeps nothing but the word for it.

        The parts must have passed `moments`.
        """
        full = aggregate(self._seen[0])
        few = np.isin(full.status, (OK, SPARSE)) & (full.seats < MIN_SEATS)
        hidden = few & (not self.allowance.single)
        parts = (full.value, full.low, full.high, full.seats, full.covered)
        told = Change(np.where(hidden, TOO_FEW, full.status), *(np.where(hidden, np.nan, part) for part in parts))
        return _rounded(told, self.allowance)

    def class_line(
        self,
        aggregate: Callable[[Readings], ClassLine],
        episodes: Callable[[ClassLine], Sequence[Episode]],
    ) -> tuple[ClassLine, tuple[Episode, ...]]:
        """Return the class against its usual level, and its episodes, which are found before digits are cut off.

        A step made of too few seats keeps nothing but a word, and no episode is found in it.
        """
        seen, lost = self._seen
        full = aggregate(seen)
        few = (full.seats < MIN_SEATS) & (not self.allowance.single)
        hidden = few & (full.taken > 0)
        parts: dict[str, Any] = {
            name: np.where(hidden, np.nan, getattr(full, name)) for name in ("change", "low", "high", "seats", "taken")
        }
        thinned = np.bincount(_bins(seen, full.starts)[seen.frames[lost]], minlength=len(full.starts)) > 0
        told = (full.status == OK) | ((full.status == NOT_ENOUGH) & thinned)
        parts["status"] = np.where(hidden & told, TOO_FEW, full.status)
        if not (parts["status"] == OK).any():
            parts |= {"usual": np.nan, "shared": np.nan}
        line = dataclasses.replace(full, **parts)
        return _rounded(line, self.allowance), tuple(_rounded(each, self.allowance) for each in episodes(line))

    def whole_class(self, aggregate: Callable[[Readings], Overall]) -> Overall:
        """Return the class over the whole lesson, without the numbers that too few seats would make."""
        seen, lost = self._seen
        full = aggregate(seen)
        if self.allowance.single:
            return full
        if (full.n_readable or 0) >= MIN_SEATS:
            readable = full.readable + float(lost.mean()) if len(lost) else full.readable
            return _rounded(dataclasses.replace(full, readable=readable), self.allowance)
        nothing: dict[str, Any] = dict.fromkeys(("engagement", "low", "high", "faces_per_frame", "readable"), np.nan)
        return dataclasses.replace(
            full, emotions=np.full_like(full.emotions, np.nan), n_seats=None, n_readable=None, **nothing
        )


Told = TypeVar("Told", Timeline, Share, Change, Overall, ClassLine, Episode)
ROUNDED = ("engagement", "value", "low", "high", "emotions", "change", "usual")


def just_past(readings: Readings, seen: Allowance, aggregate: Callable[[Readings], Timeline]) -> Timeline:
    """Return the class in the seconds just past of a lesson that runs, as far as it may be seen.

    Args:
        readings: of these seconds; times from the start of the source.
        seen: what may be seen.
        aggregate: makes the class over time of them.
    """
    return _over_time(readings, _counted(readings, seen, LIVE_MOMENT), seen, aggregate)


def _moment_of(seconds: float) -> float:
    """Return how long a moment is, in a lesson of so many seconds."""
    return next(moment for longest, moment in MOMENTS.items() if seconds <= longest)


def _counted(readings: Readings, seen: Allowance, moment: float) -> tuple[Readings, Array]:
    """Return what answers about the class are made of, and bool (n,), the faces that do not count in them."""
    return (readings, np.zeros(len(readings), bool)) if seen.single else together(readings, moment)


def _over_time(
    readings: Readings, counted: tuple[Readings, Array], seen: Allowance, aggregate: Callable[[Readings], Timeline]
) -> Timeline:
    """Return the class over time of what `_counted` returned of readings, as it may be seen."""
    kept, lost = counted
    full = aggregate(kept)
    bins, n = _bins(kept, full.starts), len(full.starts)
    faces = bins[kept.frames]
    each = np.bincount(faces[lost], minlength=n) / np.maximum(np.bincount(bins, minlength=n), 1)
    full = dataclasses.replace(full, readable=full.readable + each, unreadable=full.unreadable - each)
    unread = full.status == UNREADABLE
    if unread.any():
        thin = lost | (np.isnan(kept.signals) & ~np.isnan(readings.signals)).any(axis=1)
        unread &= (np.bincount(faces[thin], minlength=n) == 0) & (_seats_in(kept, faces, n) >= MIN_SEATS)
    return _rounded(hide(full, seen, unread), seen)


def _bins(readings: Readings, starts: Array) -> Array:
    """Return the bin of each frame: int64 (f,)."""
    bins: Array = np.searchsorted(starts, readings.times, side="right") - 1
    return bins


def _seats_in(readings: Readings, bins: Array, n: int) -> Array:
    """Return at how many established seats a face was seen in each of n bins, read or not: int64 (n,)."""
    seats = readings.established()
    seated = np.isin(readings.seats, seats)
    cells = bins[seated] * len(seats) + np.searchsorted(seats, readings.seats[seated])
    seen = np.bincount(cells, minlength=n * len(seats)).reshape(n, len(seats)) > 0
    found: Array = seen.sum(axis=1)
    return found


def _rounded(told: Told, seen: Allowance) -> Told:
    """Return numbers with as many digits as may be told."""
    if seen.single:
        return told
    parts: dict[str, Any] = {name: np.round(getattr(told, name), DIGITS) for name in ROUNDED if hasattr(told, name)}
    return dataclasses.replace(told, **parts)


def open_gate(store: LessonStore, lesson: Lesson) -> Gate:
    """Return a lesson as far as its purpose allows."""
    readings = store.readings(lesson)
    return Gate(lesson, allowance(lesson, len(readings.established())), readings)
