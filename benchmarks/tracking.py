"""How well seats keep their numbers in the simulated class of `seat_simulation.py`.

python benchmarks/tracking.py [--seeds 10] [--minutes 10] [--rate 10] [--seats 30] [--json]
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
        seats = self.tracker.update(boxes, scores, time)
        return np.where(seats == NO_SEAT, -1, seats)


def main() -> None:
    """Simulate, score, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, default=10, help="frames a second")
    parser.add_argument("--seats", type=int, default=30)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    room = (options.minutes, options.rate, options.seats)
    results = [score(simulate(seed, *room), Simulated(), options.seats) for seed in range(options.seeds)]
    means = {name: statistics.mean(result[name] for result in results) for name in results[0]}
    if options.json:
        print(json.dumps({"seeds": options.seeds, "mean": means, "each": results}, indent=2))
    else:
        print("\n".join(f"{name:24} {value:.3f}" for name, value in means.items()))


if __name__ == "__main__":
    main()
