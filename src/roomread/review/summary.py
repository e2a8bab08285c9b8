"""The lesson at a glance, from stored observations and one engagement mapping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from roomread.engagement import aggregate
from roomread.engagement.attention import ATTENTION, attention, blink_rate, closed_eyes, count_yawns
from roomread.engagement.consensus import Consensus, consensus
from roomread.engagement.episodes import class_episodes, expected_false, seat_episodes
from roomread.engagement.mappings import Mapping
from roomread.engagement.overtime import class_over_time
from roomread.store.privacy import Gate
from roomread.types import (
    EMOTIONS,
    OK,
    SIGNALS,
    Array,
    ClassLine,
    Episode,
    Lesson,
    Readings,
    Share,
    Timeline,
    trusted,
)

STATES = ("facing", "eyes_closed")  # of `engagement.attention`, told of the class


@dataclass(frozen=True, slots=True, eq=False)
class SeatSummary:
    """One seat over the whole lesson; made only where the purpose allows single seats.

    box: float32 (4,), pixels, the median of its boxes.
    engagement: 0 to 1, mean over its faces that have a score; NaN when none has.
    emotions: float64 (7,), 0 to 1, mean; NaN when none was readable.
    present, readable: share of the lesson's analysed frames in which its face was found, and could be read.
    over_time: float64 (n,), engagement in each bin of the timeline; NaN where it was not seen or not readable.
    facing, eyes_closed: 0 to 1, shares of its readings, see `engagement.attention`; NaN where not known.
    yawns: how often the mouth stood wide open for as long as a yawn; None where readings are too rare to see one.
    blinks: per minute; NaN where readings are too rare.
    """

    seat: int
    box: Array
    engagement: float
    emotions: Array
    present: float
    readable: float
    over_time: Array
    facing: float
    eyes_closed: float
    yawns: int | None
    blinks: float


@dataclass(frozen=True, slots=True, eq=False)
class LessonSummary:
    """All that a report shows.

    engagement, low, high: 0 to 1, over the whole lesson, NaN where nothing may or can be said.
    emotions: float64 (7,), 0 to 1, over the whole lesson; NaN where nothing may or can be said.
    frames: analysed frames. faces_per_frame: faces found per analysed frame, NaN where that is too few to tell.
    readable: 0 to 1, share of the found faces that could be read; NaN like faces_per_frame.
    measured: 0 to 1, share of the bins with status OK.
    n_seats: seats established in the lesson; None where they are too few to tell.
    shares: of STATES, each over the timeline's bins. whole_shares: likewise, over the whole lesson in one bin.
    formulas: names of all that were asked. consensus: whether they tell the same; None where too few know.
    over_time: the class against its seats' own usual levels. episodes: its drops and rises, in order of time.
    seat_episodes: those of each seat by its number; made only where the purpose allows single seats.
    expected_false: how many of `episodes` are to be expected in as long a lesson without any change; NaN: nothing told.
    """

    lesson: Lesson
    mapping: str
    formula: str
    citation: str
    validity: str
    band: str
    rule: str
    timeline: Timeline
    seats: tuple[SeatSummary, ...]
    engagement: float
    low: float
    high: float
    emotions: Array
    frames: int
    faces_per_frame: float
    readable: float
    measured: float
    n_seats: int | None
    shares: dict[str, Share]
    whole_shares: dict[str, Share]
    over_time: ClassLine
    episodes: tuple[Episode, ...]
    seat_episodes: dict[int, tuple[Episode, ...]]
    expected_false: float
    formulas: tuple[str, ...] = ()
    consensus: Consensus | None = None

    def of_seats(self, state: str) -> str:
        """Return of how many seats a share of the whole lesson is made, in words, where that is not all of them."""
        seats = float(self.whole_shares[state].seats[0])
        return "" if np.isnan(seats) or seats == self.n_seats else f" (of {seats:.0f} seats)"

    def as_dict(self) -> dict[str, Any]:
        """Return the summary as plain values that JSON can hold; what is not known is None."""
        return {
            "lesson": self.lesson.number,
            "name": self.lesson.name,
            "source": self.lesson.source,
            "purpose": self.lesson.purpose,
            "state": self.lesson.state,
            "notes": list(self.lesson.notes),
            "duration": round(self.lesson.duration, 3),
            "frames": self.frames,
            "mapping": self.mapping,
            "engagement": known(self.engagement),
            "engagement_low": known(self.low),
            "engagement_high": known(self.high),
            "emotions": {name: known(value) for name, value in zip(EMOTIONS, self.emotions, strict=True)},
            "seats": self.n_seats,
            "faces_per_frame": known(self.faces_per_frame),
            "readable": known(self.readable),
            "measured": known(self.measured),
            "attention": {name: known(float(share.value[0])) for name, share in self.whole_shares.items()},
            "over_time": {
                "told": known(float((self.over_time.status == OK).mean())) if len(self.over_time.status) else None,
                "usual": known(self.over_time.usual),
                "episodes": [_plain(episode) for episode in self.episodes],
                "expected_false": known(self.expected_false),
                "seats": {str(seat): [_plain(one) for one in found] for seat, found in self.seat_episodes.items()},
            },
            "rule": self.rule,
            "single_seats": [
                {
                    "seat": seat.seat,
                    "engagement": known(seat.engagement),
                    "present": known(seat.present),
                    "readable": known(seat.readable),
                    "facing": known(seat.facing),
                    "eyes_closed": known(seat.eyes_closed),
                    "yawns": seat.yawns,
                    "blinks_per_minute": known(seat.blinks),
                }
                for seat in self.seats
            ],
        }


def known(value: float) -> float | None:
    """Return a number rounded to four digits, or None where it is NaN."""
    return None if np.isnan(value) else round(float(value), 4)


def _plain(episode: Episode) -> dict[str, Any]:
    times = {"start": round(episode.start, 3), "end": round(episode.end, 3)}
    return {"kind": episode.kind, **times, "change": known(episode.change)}


def summarise(gate: Gate, mapping: Mapping, others: Sequence[Mapping] = ()) -> LessonSummary:
    """Return the lesson at a glance, as far as the gate lets it be seen.

    Args:
        gate: the lesson.
        mapping: whose score is told.
        others: mappings that it is compared with.
    """
    lesson = gate.lesson
    width = aggregate.bin_seconds_for(lesson.duration, gate.frames())

    def binned(formula: Mapping) -> Timeline:
        return gate.class_over_time(lambda readings: aggregate.timeline(readings, formula.score, width))

    asked = {each.name: each for each in (mapping, *others)}
    lines = {name: binned(each) for name, each in asked.items()}
    line = lines[mapping.name]
    overall = gate.whole_class(lambda readings: aggregate.overall(readings, mapping.score))
    seats = _seats(gate.rows(), line, mapping) if gate.allowance.single else ()
    over_time, episodes = gate.class_line(lambda readings: class_over_time(readings, mapping.score), class_episodes)
    alone = seat_episodes(gate.rows(), mapping.score) if gate.allowance.single else {}
    shares = gate.shares(lambda readings: _shares(readings, width))
    return LessonSummary(
        lesson=lesson,
        mapping=mapping.name,
        formula=mapping.formula,
        citation=mapping.source,
        validity=mapping.validity,
        band=aggregate.BAND_OF_ONE if overall.n_seats == 1 else aggregate.BAND_OF_SEATS,
        rule=gate.allowance.rule,
        timeline=line,
        seats=seats,
        engagement=overall.engagement,
        low=overall.low,
        high=overall.high,
        emotions=overall.emotions,
        frames=gate.frames(),
        faces_per_frame=overall.faces_per_frame,
        readable=overall.readable,
        measured=float((line.status == OK).mean()),
        n_seats=overall.n_seats,
        shares=dict(zip(STATES, shares, strict=False)),
        whole_shares=dict(zip(STATES, shares[len(STATES) :], strict=True)),
        formulas=tuple(asked),
        consensus=consensus(list(lines.values())),
        over_time=over_time,
        episodes=episodes,
        seat_episodes=alone,
        expected_false=expected_false(over_time),
    )


def _shares(readings: Readings, width: float) -> list[Share]:
    """Return the share of the class in each of STATES over the timeline's bins, and then over the whole lesson."""
    derived = attention(readings)
    starts, frame_bins = aggregate.bins_of(readings, width)
    columns = [derived[:, ATTENTION.index(name)] for name in STATES]
    over_time = [aggregate.share(readings, column, frame_bins[readings.frames], len(starts)) for column in columns]
    return over_time + [aggregate.share(readings, column) for column in columns]


def _seats(readings: Readings, line: Timeline, mapping: Mapping) -> tuple[SeatSummary, ...]:
    """Return every established seat over the whole lesson and in each bin."""
    scores = mapping.score(readings.emotions, readings.signals)[:, None]
    _, frame_bins = aggregate.bins_of(readings, line.bin_seconds)
    over_time = aggregate.seat_means(readings, scores, frame_bins[readings.frames], len(line.starts))[:, :, 0]
    means = aggregate.seat_means(readings, scores)[0, :, 0]
    emotions = aggregate.seat_means(readings, readings.emotions)[0]
    derived = attention(readings)
    facing, closed = (aggregate.seat_means(readings, derived[:, [ATTENTION.index(name)]])[0, :, 0] for name in STATES)
    times = readings.times[readings.frames]
    made = []
    for place, seat in enumerate(readings.established()):
        mine = readings.seats == seat
        read = mine & ~np.isnan(readings.signals[:, 0])
        sure = trusted(readings.signals[read])
        eyes, mouth = (sure[:, SIGNALS.index(name)] for name in ("eyes", "mouth"))
        made.append(
            SeatSummary(
                seat=int(seat),
                box=np.median(readings.boxes[mine], axis=0),
                engagement=float(means[place]),
                emotions=emotions[place],
                present=mine.sum() / len(readings.times),
                readable=float((mine & ~np.isnan(readings.emotions).any(axis=1)).sum() / len(readings.times)),
                over_time=over_time[:, place],
                facing=float(facing[place]),
                eyes_closed=float(closed[place]),
                yawns=count_yawns(times[read], mouth),
                blinks=blink_rate(times[read], closed_eyes(eyes)),
            )
        )
    return tuple(made)
