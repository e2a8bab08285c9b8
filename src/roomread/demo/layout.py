"""Where the seats are and how they differ, in pixels of the finished picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roomread.demo.script import RoomSettings

# Heights in face widths, from the middle of the face (the picture's own proportions, see astronaut-mesh.json).
HAIR_TOP = 1.22
CHIN = 0.62
DESK = 1.62  # far edge of the desk's top: what is lower of a person is behind the desk
DESK_FRONT = 2.12  # near edge of the desk's top
DESK_FOOT = 2.95

BELOW = 2.2  # what the picture shows below the near row's faces
CEILING, FLOOR = 0.12, 0.97  # shares of the picture's height between which the class sits
LARGEST = 0.132  # face width over the picture's height: 95 px of 720
PITCH = 2.75  # least distance of neighbours in face widths; shoulders are 2.6 wide
FAR_SHARE = {1: 1.0, 2: 0.66, 3: 0.6}  # width of the far row's faces over the near row's

CLOTHES = (
    (62, 92, 128), (150, 74, 66), (84, 116, 92), (206, 170, 96), (98, 88, 126), (176, 110, 74),
    (70, 122, 128), (136, 140, 146), (166, 92, 118), (58, 68, 86), (128, 142, 90), (190, 138, 122),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """One place in the room and the look of who sits there."""

    number: int  # from 1, far row first, from the picture's left
    row: int  # from 0, the farthest
    x: float  # pixels, middle of the face at rest
    y: float
    face_width: float  # pixels
    mirrored: bool
    roll: float  # degrees, clockwise
    gain: tuple[float, float, float]  # light on red, green and blue
    contrast: float
    clothes: tuple[int, int, int]


def place_seats(settings: RoomSettings) -> list[Seat]:
    """Spread the seats over rows that grow towards the camera, so that nobody stands before a face.

    Returns:
        the seats in order of their numbers, which is also the order from back to front.
    """
    rng = np.random.default_rng([settings.seed, 10_000])
    counts = row_counts(settings.seats)
    widths = face_widths(settings, counts)
    heights = _row_heights(settings, widths)
    colours = rng.permutation(settings.seats) % len(CLOTHES)
    seats: list[Seat] = []
    for row, count in enumerate(counts):
        pitch = 0.94 * settings.width * (widths[row] / widths[-1]) ** 0.55 / count
        for column in range(count):
            middle = settings.width / 2 + (column - (count - 1) / 2) * pitch
            clothes = CLOTHES[colours[len(seats)]]
            seats.append(_place_seat(rng, len(seats) + 1, row, (middle, heights[row]), widths[row], clothes))
    return seats


def row_counts(seats: int) -> list[int]:
    """Return how many seats each row has, far row first."""
    n_rows = next(rows for rows, most in ((1, 3), (2, 10), (3, 18), (4, 28), (5, 40)) if seats <= most)
    return [seats // n_rows + (row < seats % n_rows) for row in range(n_rows)]


def face_widths(settings: RoomSettings, counts: list[int]) -> npt.NDArray[np.float64]:
    """Return the width of each row's faces: as large as the row's length and the picture's height allow.

    Returns:
        float64 (n_rows,), pixels, far row first.
    """
    shares = np.linspace(FAR_SHARE.get(len(counts), 0.55), 1.0, len(counts))
    stack = HAIR_TOP * shares[0] + _gaps(shares).sum() + BELOW * shares[-1]  # what the rows need with near faces of 1
    by_height = (FLOOR - CEILING) * settings.height / stack
    by_length = 0.94 * settings.width / max(counts) / PITCH
    near = min(LARGEST * settings.height, by_height, by_length)
    return np.asarray(near * shares, np.float64)


def _place_seat(
    rng: np.random.Generator,
    number: int,
    row: int,
    at: tuple[float, float],
    width: float,
    clothes: tuple[int, int, int],
) -> Seat:
    """Give one seat its own place and look, a little off the grid."""
    warm, light = rng.uniform(-0.05, 0.05), rng.uniform(0.86, 1.1)
    return Seat(
        number=number,
        row=row,
        x=float(at[0] + rng.uniform(-0.12, 0.12) * width),
        y=float(at[1] + rng.uniform(-0.06, 0.06) * width),
        face_width=float(width * rng.uniform(0.96, 1.04)),
        mirrored=bool(rng.integers(2)),
        roll=float(rng.uniform(-4, 4)),
        gain=(light * (1 + warm), light, light * (1 - warm)),
        contrast=float(rng.uniform(0.9, 1.1)),
        clothes=clothes,
    )


def _gaps(widths: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the least distance between the faces of following rows: the front hair ends below the chin behind."""
    return np.asarray((CHIN + 0.2) * widths[:-1] + HAIR_TOP * widths[1:], np.float64)


def _row_heights(settings: RoomSettings, widths: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the height of each row's faces in pixels: the near row's desks stand at the lower edge."""
    gaps = _gaps(widths)
    near = FLOOR * settings.height - BELOW * widths[-1]
    spare = near - HAIR_TOP * widths[0] - CEILING * settings.height - gaps.sum()
    stretch = 1 + np.clip(spare / max(gaps.sum(), 1e-9), 0, 0.35)
    return np.asarray(near - stretch * (gaps.sum() - np.concatenate(([0.0], np.cumsum(gaps)))), np.float64)
