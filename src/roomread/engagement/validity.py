"""What each mapping was found to be worth on people whose engagement others had judged: facts, no arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

Interval = tuple[float, float, float]  # a figure and both ends of its 95% interval, drawn by person


@dataclass(frozen=True, slots=True)
class Measured:
    """One mapping on one set of pictures, as `benchmarks/engagement.py` prints it.

    data: what the pictures are. n: how many. people: on them.
    lowest: area under the curve, the lowest level(s) against the rest, 0.5 is a coin. highest: the highest level.
    kappa: quadratic, 0 is chance and 1 full agreement.
    """

    data: str
    n: int
    people: int
    lowest: Interval
    highest: Interval
    kappa: Interval


MEASURED: dict[str, tuple[Measured, ...]] = {
    "glance": (
        Measured("WACV 2016", 2890, 16, (0.91, 0.89, 0.94), (0.74, 0.68, 0.79), (0.45, 0.35, 0.52)),
        Measured("DAiSEE", 6787, 88, (0.67, 0.63, 0.70), (0.62, 0.58, 0.64), (0.17, 0.12, 0.20)),
    ),
    "sharma": (
        Measured("WACV 2016", 2881, 16, (0.62, 0.51, 0.73), (0.51, 0.40, 0.61), (0.07, -0.08, 0.23)),
        Measured("DAiSEE", 6787, 88, (0.57, 0.52, 0.63), (0.51, 0.47, 0.54), (0.02, -0.02, 0.08)),
    ),
    "strongest": (
        Measured("WACV 2016", 2881, 16, (0.62, 0.52, 0.71), (0.51, 0.41, 0.61), (0.06, -0.07, 0.19)),
        Measured("DAiSEE", 6787, 88, (0.57, 0.52, 0.63), (0.50, 0.47, 0.54), (0.03, -0.02, 0.09)),
    ),
    "smart-lms": (
        Measured("WACV 2016", 2881, 16, (0.45, 0.38, 0.53), (0.52, 0.48, 0.56), (-0.02, -0.10, 0.04)),
        Measured("DAiSEE", 6787, 88, (0.54, 0.50, 0.58), (0.54, 0.52, 0.57), (0.05, 0.01, 0.09)),
    ),
    "concentration": (
        Measured("WACV 2016", 2660, 16, (0.80, 0.74, 0.85), (0.61, 0.55, 0.67), (0.28, 0.20, 0.35)),
        Measured("DAiSEE", 6672, 88, (0.56, 0.52, 0.60), (0.51, 0.49, 0.53), (0.04, 0.01, 0.07)),
    ),
}


def sentence(name: str) -> str:
    """Return what was measured of a mapping in words; the glance on people that it was not fitted on."""
    told = "; ".join(
        f"{part.data} ({part.n:,} pictures, {part.people} people): {_told(part.lowest)} and {_told(part.highest)}"
        for part in MEASURED[name]
    )
    return (
        "Measured with the models of this version on single pictures of people that it was not fitted on, whose "
        "engagement others had judged: the area under the curve of the lowest levels against the rest and of the "
        f"highest level against the rest: {told}. 0.5 is a coin."
    )


def _told(figure: Interval) -> str:
    value, low, high = figure
    return f"{value:.2f} ({low:.2f} to {high:.2f})"
