"""How often the time line reports an episode that is none, and how many true ones it finds, on simulated lessons.

    python benchmarks/episodes.py [--seeds 40] [--hours 0.75] [--seats 30 10] [--json]

Measures the time line (engagement/overtime.py, engagement/episodes.py), not the glance. The truth is simulated: each
seat keeps a level of its own, around which it wanders (a first-order autoregression with a memory of --memory seconds,
of which --shared is common to all seats), with short bursts of another expression, read with noise, and not always
(single steps, and stretches away). Nothing of it says how real classes move. Found: an episode of the right kind
overlaps the drop. Late: seconds from the drop's true beginning to the episode's, median over those found. Interval: how
often the 95% interval holds no change where there was none.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from roomread.engagement.episodes import SEAT_SETTINGS, class_episodes, find_episodes
from roomread.engagement.overtime import OverTimeSettings, class_line, smooth_seats, usual
from roomread.types import DROP, OK, Array

SAID = "measures the time line, not the glance; the truth is simulated"
WANDER, NOISE = 0.10, 0.08  # standard deviations of a seat's level, and of its mean reading in a step
MISSING = 0.10  # of single steps
BURST, BURST_SECONDS, CALM_SECONDS = 0.25, 20.0, 230.0  # a laugh, a yawn: score lost, mean lengths
PRESENT, ABSENT = 240.0, 40.0  # seconds, mean length of stretches that are read and that are not
SIZES, LENGTHS = (0.05, 0.1, 0.15, 0.2), (60.0, 180.0)  # of true drops: score, seconds
STEPS = OverTimeSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What is simulated. hours: of a lesson. memory: seconds. shared: 0 to 1, of the wandering's variance."""

    seats: int
    hours: float
    memory: float
    shared: float


def wander(draw: np.random.Generator, n: int, columns: int, memory: float) -> Array:
    """Return first-order autoregressions of variance 1 that have run for long: float64 (n, columns)."""
    keep = float(np.exp(-STEPS.step / memory))
    pushes = draw.normal(0, (1 - keep**2) ** 0.5, (n, columns))
    pushes[0] = draw.normal(0, 1, columns)
    for row in range(1, n):
        pushes[row] += keep * pushes[row - 1]
    return pushes


def switching(draw: np.random.Generator, n: int, columns: int, on: float, off: float) -> Array:
    """Return what is on (1) and off (0) for random times of these mean lengths in seconds: float64 (n, columns)."""
    states = np.ones((n, columns))
    state = draw.random(columns) < on / (on + off)
    for row in range(n):
        state = state ^ (draw.random(columns) < STEPS.step / np.where(state, on, off))
        states[row] = state
    return states


def lesson(room: Room, seed: int, drop: tuple[float, float, float] | None = None) -> tuple[Array, Array, Array]:
    """Return starts, levels and seen as `class_line` takes them; drop: beginning, length in seconds, and size."""
    draw = np.random.default_rng([seed, room.seats])
    n = round(room.hours * 3600 / STEPS.step)
    starts = np.arange(n) * STEPS.step
    own = wander(draw, n, room.seats, room.memory) * (1 - room.shared) ** 0.5
    common = wander(draw, n, 1, room.memory) * room.shared**0.5
    levels = draw.uniform(0.45, 0.75, room.seats) + WANDER * (own + common)
    levels += draw.normal(0, NOISE, levels.shape)
    levels -= BURST * (1 - switching(draw, n, room.seats, CALM_SECONDS, BURST_SECONDS))
    if drop is not None:
        begin, length, size = drop
        levels[(starts >= begin) & (starts < begin + length)] -= size
    seen = switching(draw, n, room.seats, PRESENT, ABSENT)
    hidden = (seen == 0) | (draw.random(levels.shape) < MISSING)
    return starts, np.where(hidden, np.nan, levels.clip(0, 1)), seen


def quiet(room: Room, seeds: int) -> dict[str, float]:
    """Return false episodes per hour of the class and of a seat, and the interval's coverage, without any change."""
    false, false_seats, inside, known = 0, 0, 0, 0
    for seed in range(seeds):
        starts, levels, seen = lesson(room, seed)
        line = class_line(starts, levels, seen)
        false += len(class_episodes(line))
        ok = line.status == OK
        known += int(ok.sum())
        inside += int(((line.low <= 0) & (line.high >= 0))[ok].sum())
        smoothed = smooth_seats(levels, STEPS)
        changes = smoothed - usual(smoothed, STEPS)[0]
        even = np.ones(len(starts))
        false_seats += sum(len(find_episodes(starts, STEPS.step, column, even, SEAT_SETTINGS)) for column in changes.T)
    hours = seeds * room.hours
    return {
        "hours": hours,
        "false_class": false,
        "false_class_per_hour": false / hours,
        "false_seat_per_hour": false_seats / hours / room.seats,
        "told": known / (seeds * len(starts)),
        "interval_holds": inside / max(known, 1),
    }


def detection(room: Room, seeds: int, size: float, length: float) -> dict[str, float]:
    """Return the share of true drops found, and how late."""
    late = []
    for seed in range(seeds):
        begin = float(np.random.default_rng(seed).uniform(0.1, 0.9) * (room.hours * 3600 - length))
        line = class_line(*lesson(room, seed, (begin, length, size)))
        hits = [e for e in class_episodes(line) if e.kind == DROP and e.start < begin + length and e.end > begin]
        late += [hits[0].start - begin] if hits else []
    return {
        "size": size,
        "seconds": length,
        "found": len(late) / seeds,
        "late": float(np.median(late)) if late else np.nan,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=40, help="lessons of each kind; default: %(default)s")
    parser.add_argument("--hours", type=float, default=0.75, help="length of a lesson; default: %(default)s")
    parser.add_argument("--seats", type=int, nargs="+", default=[30, 10], help="default: 30 10")
    parser.add_argument("--memory", type=float, default=20.0, help="seconds; default: %(default)s")
    parser.add_argument("--shared", type=float, default=0.1, help="0 to 1; default: %(default)s")
    parser.add_argument("--no-drops", action="store_true", help="measure false episodes and the interval alone")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    made: list[dict[str, Any]] = []
    for seats in options.seats:
        room = Room(seats=seats, hours=options.hours, memory=options.memory, shared=options.shared)
        sizes = () if options.no_drops else SIZES
        drops = [detection(room, options.seeds, size, length) for size in sizes for length in LENGTHS]
        made.append({"seats": seats, "quiet": quiet(room, options.seeds), "drops": drops})
    about = {"what": SAID, "seeds": options.seeds, "memory": options.memory, "shared": options.shared}
    if options.json:
        print(json.dumps({**about, "rooms": made}, indent=2).replace("NaN", "null"))
        return
    print(f"This {SAID}. Memory {options.memory:g} s, shared {options.shared:g}, {options.seeds} lessons of each kind.")
    for room_made in made:
        still = room_made["quiet"]
        print(
            f"\n{room_made['seats']} seats, {still['hours']:g} hours without a change: "
            f"{still['false_class']} false episodes of the class, {still['false_class_per_hour']:.3f} an hour; "
            f"of a seat {still['false_seat_per_hour']:.4f} an hour; "
            f"interval holds in {still['interval_holds']:.3f} of the steps, {still['told']:.3f} of all steps told"
        )
        for drop in room_made["drops"]:
            what = f"drop of {drop['size']:g} for {drop['seconds']:g} s"
            late = "" if np.isnan(drop["late"]) else f", {round(drop['late'])} s late"
            print(f"  {what}: {drop['found']:.2f} found{late}")


if __name__ == "__main__":
    main()
