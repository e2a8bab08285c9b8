"""What a store takes, how many recordings a machine gets through, what cutting changes, what kills leave.

    python benchmarks/scale.py [--only store|batch|pieces|kills ...] [--db FILE|URL] [--data VIDEO] [--turns 3] [--json]

store: into the store of --db, or a temporary SQLite file, as `LessonStore` is used by everybody; what it writes it
    deletes again. Rows are faces, 30 a frame and five frames a second, made up.
    write: rows a second, of a lesson that is written a minute at a time as an analysis may, and a second at a time as
    one that runs does, which also tells how long one such second takes. `cpu` counts this process's own time instead
    of the clock's, which another program's work does not stretch; a PostgreSQL server's work is not in it.
    rooms: rows a second of --rooms processes that each write a quarter of an hour in minutes at once.
    hour: milliseconds until the class over time of an hour is there: `kept`, from what the analysis kept; `rows`, of
    that reading every row from the store, and `made`, working it all out from them.
    course: seconds until the same is there of 40 lessons, from what was kept.

The others are of --data, or of a synthetic room of 30 faces that is shown again and again for --minutes.

batch: hours of video per core-hour of `roomread batch` with one worker and with two, one thread each; `speed_up` from
    one to two; `overhead` of one worker over `roomread analyze --threads 1`; Ray's start apart; processor seconds of
    joining an hour; a worker's memory at most. Each side is a process of its own, and they take turns.
pieces: a lesson joined of pieces of --piece seconds beside the whole: whether times, boxes, seats and expressions are
    the same bit for bit, how many readings of heads were taken and how many at the same moments, and by how much the
    class's engagement differs in bins of ten seconds and over the lesson, by every mapping.
kills: --videos films of two seconds, once in peace and once while workers are killed, on average --every seconds: how
    many lessons there are, whether each is there exactly once, and how many are the same bit for bit.

Figures are medians of --turns; `load` is the machine's before and after, and a busy one makes every time worse.
"""

import argparse
import json
import os
from collections.abc import Callable
from typing import Any

import batching
import storing

PARTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "store": storing.store,
    "batch": batching.over_workers,
    "pieces": batching.in_pieces,
    "kills": batching.under_kills,
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=tuple(PARTS), default=tuple(PARTS))
    parser.add_argument("--db", metavar="FILE|URL", help="of store; default: a temporary SQLite file")
    parser.add_argument("--rooms", type=int, default=2, help="of store; default: %(default)s")
    parser.add_argument("--data", metavar="VIDEO", help="default: a synthetic room")
    parser.add_argument("--minutes", type=float, default=20.0, help="of that room; default: %(default)g")
    parser.add_argument("--width", type=int, default=1920, help="of that room; default: %(default)s")
    parser.add_argument("--piece", type=float, default=300.0, help="seconds; default: %(default)g")
    parser.add_argument("--videos", type=int, default=200, help="of kills; default: %(default)s")
    parser.add_argument("--workers", type=int, default=2, help="of kills; default: %(default)s")
    parser.add_argument("--every", type=float, default=5.0, help="seconds between kills; default: %(default)g")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    figures: dict[str, Any] = {"cpus": os.cpu_count(), "load_before": os.getloadavg()[0]}
    for name in chosen.only:
        figures[name] = PARTS[name](chosen)
    show(figures | {"load_after": os.getloadavg()[0]}, chosen.json)


def show(figures: dict[str, Any], as_json: bool) -> None:
    """Print the figures, as JSON or as lines."""
    if as_json:
        print(json.dumps(figures, indent=2))
        return
    for name, value in figures.items():
        if isinstance(value, dict):
            show({f"{name} {what}": found for what, found in value.items()}, as_json)
        else:
            print(f"{name:48}{value:10.4g}" if isinstance(value, float) else f"{name:48}{value}")


if __name__ == "__main__":
    main()
