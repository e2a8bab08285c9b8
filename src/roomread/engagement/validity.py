"""What each mapping was found to be worth on people whose engagement others had judged: facts, no arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

Interval = tuple[float, float, float]  # a figure and both ends of its 95% interval, drawn by person


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One mapping on one set of pictures, as `benchmarks/engagement.py` prints it.

    data: what the pictures are. n: how many. people: on them.
    lowest: area under the curve, the lowest level(s) against the rest, 0.5 is a coin. highest: the highest level.
    """

    data: str
    n: int
    people: int
    lowest: Interval
    highest: Interval


MEASURED: dict[str, tuple[Measured, ...]] = {
    "sharma": (
        Measured(data="WACV 2016", n=2876, people=16, lowest=(0.63, 0.51, 0.74), highest=(0.49, 0.39, 0.59)),
        Measured(data="DAiSEE", n=6787, people=88, lowest=(0.52, 0.47, 0.58), highest=(0.49, 0.46, 0.53)),
    ),
}


def sentence(name: str) -> str:
    """Return what was measured of a mapping in words."""
    measured = MEASURED.get(name)
    if not measured:
        return "Nothing was measured of it."
    told = "; ".join(
        f"{part.data} ({part.n:,} pictures, {part.people} people): {_told(part.lowest)} and {_told(part.highest)}"
        for part in measured
    )
    return (
        "Measured with the models of this version on single pictures of people whose engagement others had judged, "
        "the area under the curve of the lowest levels against the rest and of the highest level against the rest: "
        f"{told}. 0.5 is a coin."
    )


def _told(figure: Interval) -> str:
    value, low, high = figure
    return f"{value:.2f} ({low:.2f} to {high:.2f})"
