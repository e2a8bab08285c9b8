"""What the time line says, in words: drops and rises, why none can be told, and how they were found."""

from __future__ import annotations

import numpy as np

from roomread import style
from roomread.engagement.episodes import FALSE_PER_SEAT_HOUR, MEASURED, SEATS_MEASURED, EpisodeSettings
from roomread.engagement.overtime import LEAST_SEATS, POPULATION, OverTimeSettings
from roomread.review.summary import LessonSummary
from roomread.types import DROP, NOT_ENOUGH, OK, ClassLine, Episode

WHAT = "This is the time line, not the glance: it compares the class with itself and says nothing of its level."


def episode_words(episode: Episode, whose: str = "the class's") -> str:
    """Return one episode in words, with its times from the start."""
    side = "below" if episode.kind == DROP else "above"
    when = f"{style.clock(episode.start)}\N{EN DASH}{style.clock(episode.end)}"
    return f"{when} {side} {whose} own usual level, by {style.score(abs(episode.change))}"


def seat_words(summary: LessonSummary) -> list[str]:
    """Return the episodes of single seats in words, seat by seat."""
    found = summary.seat_episodes.items()
    return [f"Seat {seat}: {episode_words(one, 'its')}" for seat, episodes in found for one in episodes]


def false_alarms(expected: float) -> str:
    """Return how many episodes are to be expected without any change; empty where nothing was told (NaN)."""
    if np.isnan(expected):
        return ""
    return f"expected false alarms in the time told of: about {expected:.2f}; {MEASURED}"


def seat_false_alarms(summary: LessonSummary) -> str:
    """Return the same of single seats, which are many."""
    hours = float(np.nansum(summary.over_time.seats)) * summary.over_time.step / 3600
    return f"expected false alarms of all seats together: about {hours * FALSE_PER_SEAT_HOUR:.2f}; {SEATS_MEASURED}"


def untold(line: ClassLine, reason: str) -> str:
    """Return in words what of the lesson the time line does not tell of; empty where it tells of all.

    Args:
        line: the class against its own usual level.
        reason: why steps are missing, in words.
    """
    if (line.status == OK).all() and len(line.status):
        return ""
    needs = f"; it takes at least {LEAST_SEATS} seats with {style.duration(OverTimeSettings().least_usual)} of readings"
    return f"not told: {reason}{needs if (line.status == NOT_ENOUGH).mean() > 0.5 else ''}"


def methods(summary: LessonSummary) -> list[str]:
    """Return the sentences of a methods section on the time line; none for a lesson it tells nothing of."""
    line, how, what = summary.over_time, OverTimeSettings(), EpisodeSettings()
    if not (line.status == OK).any():
        return ["The figures above measure the glance: single moments and means of them. No time line was told."]
    return [
        "The figures above measure the glance: single moments and means of them.",
        f"Drops and rises measure the time line: the running median of each seat over {style.duration(how.window)}, "
        f"never over more than {style.duration(how.longest_gap)} without a reading, less the seat's own median over "
        "the lesson; the mean of that over the seats is the change of the class.",
        f"Its interval is of {POPULATION} (mean correlation of two seats {line.shared:.2f}; Kish 1965).",
        f"An episode goes beyond {what.enter:g} times the class's own usual spread, lasts while it is beyond "
        f"{what.leave:g} times, and at least {style.duration(what.least_seconds)}; {MEASURED}.",
    ]
