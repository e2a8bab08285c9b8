"""How well seats keep their numbers in the simulated class of `seat_simulation.py`.

python benchmarks/tracking.py [--seeds 0-9] [--minutes 10] [--rate 10] [--seats 30] [--json]
"""

import argparse
import json
import statistics

import numpy as np
from seat_simulation import score, simulate

from roomread.types import NO_SEAT, Array
from roomread.watch.track import SeatTracker


class Simulated:
    """Our tracker as the simulation asks for it: -1 for a face without a seat."""

    def __init__(self) -> None:
        self.tracker = SeatTracker()

    def update(self, boxes: Array, scores: Array, time: float) -> Array:
        """Return one number per box."""
        seats = self.tracker.update(boxes, time)
        return np.where(seats == NO_SEAT, -1, seats)


def seeds_of(text: str) -> range:
    """Return the seeds of "7" or "0-9"."""
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def main() -> None:
    """Simulate, score, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=seeds_of, default="0-9", help="one seed, or the first and the last: 0-9")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, default=10, help="frames a second")
    parser.add_argument("--seats", type=int, default=30)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    room = (options.minutes, options.rate, options.seats)
    results, told = [], 0
    for seed in options.seeds:
        simulated = Simulated()
        results.append(score(simulate(seed, *room), simulated, options.seats))
        told += len(simulated.tracker.shifts)
    means = {name: statistics.mean(result[name] for result in results) for name in results[0]}
    worst = max(result["switches_per_seat_hour"] for result in results)
    means |= {"worst_seed_switches": worst, "false_shifts": told}  # no camera is moved, no tiles are exchanged
    if options.json:
        print(json.dumps({"seeds": list(options.seeds), "mean": means, "each": results}, indent=2))
    else:
        print("\n".join(f"{name:24} {value:.3f}" for name, value in means.items()))


if __name__ == "__main__":
    main()
