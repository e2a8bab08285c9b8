"""How well head pose, closed eyes and gaze are read from small faces, what corrections they need, and what it costs.

    python benchmarks/signals.py [--media DIR] [--sizes 64 48 40 32 24] [--json]

Sizes are pixels, root of the detector's box. Four measurements and a cost:

- turned: the demo's head drawn at known yaw (-44 to 44 degrees in steps of 4) and pitch (-12, 0, 12), mirrored and not,
  tilted and not, each found by the detector. "yaw" is the mean absolute error as it stands; "turn" the same against the
  head's own readings about 0, as nobody knows how straight the photographed person looked.
- gazed: the same head from the front, its irises moved sideways by known shares of the eye's half width. "gaze" is the
  mean absolute error against the readings of the irises left in place.
- room: the demo's room, whose script knows who turns where and who has closed eyes: mean absolute error of yaw, area
  under the curve of openness, both as read and over the seat's own usual, and the share of right answers by
  `closed_eyes`. Lids on their way are left out.
- pictures: each face of DIR that is large enough, reduced and found anew, against its reading at full size: mean
  absolute errors, and how many were not found. "auc" tells faces as they are (some laugh or look down) from the same
  with their lids drawn closed, as read and over the face's own at full size; files named `...close...` are left out.
  Of files named `...eyes_...` the openness is shown as well.
- cost: milliseconds for a face in the quickest of 12 runs, of the network alone and with cutting out and geometry.

The corrections in faces/head.py are read off here, from the drawn head alone: YAW_SEEN and PITCH_SEEN are "yaw_seen"
and "pitch_seen" by size, PITCH_AT_CAMERA is the mean of "pitch_zero", GAZE_SEEN the mean of "gaze_seen" from 40 pixels
on. They are independent of the constants that stand. Rooms and pictures are for checking.
"""

import argparse
import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pictures

from roomread.demo.face import LEFT, LIDS, TOP, Head, close_lids, draw_pose, face_middle, load_head, read_mesh
from roomread.demo.film import paint_frames
from roomread.demo.script import RoomSettings
from roomread.demo.truth import describe, plan_room
from roomread.engagement.attention import closed_eyes
from roomread.engagement.measures import area_under_curve
from roomread.faces.detector import YuNet
from roomread.faces.head import (
    GAZE_SEEN,
    HALF_EYE_PER_BALL,
    IRISES,
    PITCH_AT_CAMERA,
    PITCH_SEEN,
    YAW_SEEN,
    HeadReader,
    HeadSettings,
)
from roomread.faces.onnx import Runtime
from roomread.types import EYES_YAW, N_SIGNALS, SIGNALS, Array, Detections, Image, trusted

WALL = np.array([168, 166, 158], np.float32)
NOISE = 1.5  # gray levels
BOX_PER_FACE = 1.1  # root of the detector's box over the width of the demo's face
AROUND = 1.6  # half the side of what is kept around a face, over its box
SHIFTS = (-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3)  # of the irises, over half the eye's width; 0.3 are 22 degrees
PHOTOGRAPHED = face_middle(read_mesh())[1]  # pixels, width of the photographed face
EVERY = HeadSettings(pose_size=1, eyes_size=1, mouth_size=1)  # to measure what is missing otherwise
UNREAD = np.full(N_SIGNALS, np.nan, np.float32)


class Bench:
    """Detector and reader, and the way from a large picture to the reading of its reduced face."""

    def __init__(self, threads: int) -> None:
        runtime = Runtime(threads=threads)
        self.detector, self.reader = YuNet(runtime=runtime), HeadReader(EVERY, runtime)
        self.noise = np.random.default_rng(0)

    def read_reduced(self, image: Image, scale: float) -> Array | None:
        """Return the signals (7,) of the face in the middle of a picture reduced by `scale`; None if none is found."""
        size = max(round(image.shape[1] * scale), 8), max(round(image.shape[0] * scale), 8)
        small = np.asarray(Pictures.fromarray(image).resize(size, Pictures.Resampling.LANCZOS), np.float32)
        noisy = np.clip(small + self.noise.normal(0, NOISE, (*small.shape[:2], 1)), 0, 255).astype(np.uint8)
        faces = self.detector.detect(np.pad(noisy, ((24, 24), (24, 24), (0, 0)), mode="edge"))
        middle = np.array(size) / 2 + 24
        near = np.linalg.norm((faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2 - middle, axis=1)
        if not len(near) or near.min() > 0.2 * min(size):
            return None
        best = near.argmin()
        box, points = faces.boxes[best : best + 1] - 24, faces.points[best : best + 1] - 24
        signals: Array = trusted(self.reader.read(noisy, box, points))[0]
        return signals


def turned(bench: Bench, head: Head, sizes: list[int]) -> list[dict[str, Any]]:
    """Measure yaw and pitch against known turns of the demo's head."""
    readings: dict[int, list[tuple[float, ...]]] = {size: [] for size in sizes}
    for pitch in (-12.0, 0.0, 12.0):
        for yaw in range(-44, 45, 4):
            for look in range(4):  # mirrored, tilted
                picture = _portrait(draw_pose(head, -yaw if look % 2 else yaw, pitch, 0.0), look)
                for size in sizes:
                    signals = bench.read_reduced(picture, size / (BOX_PER_FACE * head.face_width))
                    if signals is not None and not np.isnan(signals[1]):
                        readings[size].append((yaw, pitch, look, float(signals[1]), float(signals[2])))
    return [{"size": size, **_turn_errors(np.array(readings[size]), size)} for size in sizes]


def _portrait(drawn: Image, look: int) -> Image:
    """Set the head before a wall, mirrored where `look` is odd, tilted by 8 degrees where it is 2 or 3."""
    alpha = drawn[..., 3:] / np.float32(255)
    picture = Pictures.fromarray((drawn[..., :3] + (1 - alpha) * WALL).clip(0, 255).astype(np.uint8))
    tilted = picture.rotate(8 if look > 1 else 0, Pictures.Resampling.BICUBIC, fillcolor=(168, 166, 158))
    upright = np.asarray(tilted)
    return np.ascontiguousarray(upright[:, ::-1] if look % 2 else upright)


def _turn_errors(rows: Array, size: int) -> dict[str, Any]:
    """Return the errors of readings (yaw, pitch, look, yaw read, pitch read), and the shares of turns that are seen."""
    yaw, pitch, look, yaw_read, pitch_read = rows.T
    off = yaw_read - yaw
    keys = pitch * 10 + look
    zero = {key: float(np.median(off[(keys == key) & (abs(yaw) < 6)])) for key in np.unique(keys)}
    turn = off - np.array([zero[key] for key in keys])
    per_degree, at_0 = np.polyfit(pitch, pitch_read, 1)
    return {
        "n": len(rows),
        "yaw": float(abs(off).mean()),
        "turn": float(np.nanmean(abs(turn))),
        "pitch": float(abs(pitch_read - pitch).mean()),
        "yaw_seen": float((yaw_read * yaw).sum() / (yaw**2).sum() * np.interp(size, *YAW_SEEN)),
        "pitch_seen": float(per_degree * np.interp(size, *PITCH_SEEN)),
        "pitch_zero": float((at_0 + PITCH_AT_CAMERA) / per_degree),
    }


def gazed(bench: Bench, head: Head, sizes: list[int]) -> list[dict[str, Any]]:
    """Measure gaze against known places of the irises of the demo's head."""
    readings: dict[int, list[tuple[float, float]]] = {size: [] for size in sizes}
    drawn = draw_pose(head, 0.0, 0.0, 0.0)
    for look in range(4):
        faces = [_portrait(_move_irises(drawn, head.scale, -shift if look % 2 else shift), look) for shift in SHIFTS]
        for size in sizes:
            read = [bench.read_reduced(face, size / (BOX_PER_FACE * head.face_width)) for face in faces]
            angles = np.array([np.nan if each is None else each[5] for each in read])
            middle = angles[SHIFTS.index(0.0)]
            readings[size] += [(shift, angle - middle) for shift, angle in zip(SHIFTS, angles, strict=True)]
    return [{"size": size, **_gaze_errors(np.array(readings[size]))} for size in sizes]


def _move_irises(drawn: Image, scale: float, shift: float) -> Image:
    """Move the irises within the open eyes; the white on either side stretches and shrinks, the lids stay.

    Args:
        drawn: uint8 (height, width, 4), from `draw_pose` at 0 degrees.
        scale: pixels of it to one of the photograph.
        shift: of half the eye's width, positive to the right.
    """
    mesh, moved = (read_mesh()[:, :2] - (LEFT, TOP)) * scale, drawn.copy()
    for (upper, lower), iris in zip(LIDS, IRISES, strict=True):
        above, under = mesh[list(upper)], mesh[list(lower)]
        start, end = float(above[0, 0]), float(above[-1, 0])
        edges = mesh[iris, 0] + np.array([-1.0, 1.0]) * np.ptp(mesh[iris + 1 : iris + 5, 0]) / 2
        columns = np.arange(int(start) + 1, int(end) + 1)
        places = [start, *(edges + shift * (end - start) / 2), end]
        sources = np.interp(columns, places, [start, *edges, end])
        top, bottom = (np.interp(columns, *edge.T) for edge in (above, under))
        rows = np.arange(int(top.min()), int(bottom.max()) + 2)[:, None]
        lows, parts = sources.astype(np.intp), (sources % 1)[:, None]
        stretched = drawn[rows, lows] * (1 - parts) + drawn[rows, lows + 1] * parts
        inside = np.clip(np.minimum(rows - top, bottom - rows) + 0.5, 0, 1)[..., None]  # half covered at the edge
        moved[rows, columns] = (stretched * inside + drawn[rows, columns] * (1 - inside)).round()
    return moved


def _gaze_errors(rows: Array) -> dict[str, Any]:
    """Return the errors of readings (shift, degrees read), and the share of a shift that is seen."""
    shift, angle = rows[~np.isnan(rows[:, 1])].T
    true = np.degrees(np.arcsin(shift * HALF_EYE_PER_BALL))
    seen = np.sin(np.radians(angle)) / HALF_EYE_PER_BALL * GAZE_SEEN
    return {
        "n": len(shift),
        "gaze": float(abs(angle - true)[shift != 0].mean()),
        "gaze_seen": float((seen * shift).sum() / (shift**2).sum()),
    }


def room(bench: Bench, sizes: list[int], seeds: Iterable[int]) -> list[dict[str, Any]]:
    """Measure yaw, and closed against open eyes, in the demo's room."""
    readings: dict[int, list[tuple[float, ...]]] = {size: [] for size in sizes}
    for seed in seeds:
        for (seat, lids, yaw), picture, width in _seated(seed):
            for size in sizes:
                scale = size / (BOX_PER_FACE * width)
                signals = bench.read_reduced(picture, scale) if scale < 1 else None
                if signals is not None and not np.isnan(signals[[1, 4]]).any():
                    readings[size].append((100 * seed + seat, lids, yaw, float(signals[1]), float(signals[4])))
    return [{"size": size, **_room_scores(np.array(readings[size]))} for size in sizes if readings[size]]


def _seated(seed: int) -> Iterator[tuple[tuple[int, float, float], Image, float]]:
    """Yield (seat, lids, yaw in degrees), a picture around the face and the face's width, twice a second.

    Lids are 0 or 1.
    """
    settings = RoomSettings(fps=2, seed=seed)
    plan = plan_room(settings)
    truth = describe(plan)["seats"]
    for number, frame in enumerate(paint_frames(plan)):
        for seat, movement in zip(truth, plan.movements, strict=True):
            lids = seat["lids"][number]
            if not seat["visible"][number] or lids not in (0.0, 1.0):
                continue
            width = seat["face_width"] * float(movement.scale[number])
            around = _around(frame, seat["x"][number], seat["y"][number], 2 * width)
            if around is not None:
                yield (seat["seat"], lids, seat["yaw"][number]), around, width


def _around(image: Image, x: float, y: float, reach: float) -> Image | None:
    left, top, right, bottom = (round(value) for value in (x - reach, y - reach, x + reach, y + reach))
    inside = left >= 0 and top >= 0 and right <= image.shape[1] and bottom <= image.shape[0]
    return image[top:bottom, left:right].copy() if inside else None


def _room_scores(rows: Array) -> dict[str, Any]:
    """Return the scores of readings (seat, lids, yaw, yaw read, openness)."""
    seats, lids, yaw, yaw_read, openness = rows.T
    shut = lids == 1
    usual, told = np.empty(len(rows)), np.empty(len(rows))
    for seat in np.unique(seats):
        own = seats == seat
        usual[own], told[own] = np.quantile(openness[own], 0.75), closed_eyes(openness[own])
    return {
        "n": len(rows),
        "yaw": float(abs(yaw_read - yaw).mean()),
        "n_closed": int(shut.sum()),
        "auc": area_under_curve(-openness, shut),
        "auc_own": area_under_curve(-openness / usual, shut),
        "right": float((told == shut).mean()),
    }


def pictures(bench: Bench, folder: Path, sizes: list[int]) -> dict[str, Any]:
    """Measure reduced faces of pictures against the same at full size, and open against closed eyes."""
    full: dict[int, list[Array]] = {size: [] for size in sizes}
    small: dict[int, list[Array]] = {size: [] for size in sizes}
    shut: dict[int, list[float]] = {size: [] for size in sizes}  # openness with the lids drawn closed
    eyes: dict[int, dict[str, list[float]]] = {size: {} for size in sizes}
    for path, image, faces in _found(bench, folder):
        for row, reading in enumerate(bench.reader.read(image, faces.boxes, faces.points)):
            part, side = _face_part(image, faces, row)
            fitting = [size for size in sizes if side >= 1.5 * size and reading[0] >= 0.9]
            closed = _face_part(_closed(bench, image, faces, row), faces, row)[0] if fitting else part
            for size in fitting:
                signals, lowered = (bench.read_reduced(each, size / side) for each in (part, closed))
                full[size].append(reading)
                small[size].append(UNREAD if signals is None else signals)
                shut[size].append(float("nan") if lowered is None or "close" in path.name else float(lowered[4]))
                if "eyes_" in path.name and signals is not None:
                    eyes[size].setdefault(path.name, []).append(round(float(signals[4]), 3))
    compared = [
        {"size": size, **_differences(*(np.array(each[size]) for each in (full, small, shut)))}
        for size in sizes
        if full[size]
    ]
    return {"folder": folder.name, "compared": compared, "eyes": {size: eyes[size] for size in sizes if eyes[size]}}


def _found(bench: Bench, folder: Path) -> Iterator[tuple[Path, Image, Detections]]:
    """Yield every picture of a folder with its faces."""
    for path in sorted(each for each in folder.rglob("*") if each.suffix.lower() in (".jpg", ".jpeg", ".png")):
        image = np.asarray(Pictures.open(path).convert("RGB"))
        yield path, image, bench.detector.detect(image)


def _closed(bench: Bench, image: Image, faces: Detections, row: int) -> Image:
    """Return the picture with the lids of one face drawn closed, as the demo draws them."""
    mesh = bench.reader.mesh.measure(image, faces.boxes[row : row + 1], faces.points[row : row + 1]).points[0]
    scale = face_middle(mesh)[1] / PHOTOGRAPHED
    placed = mesh[:, :2] / np.float32(scale) + np.array([LEFT, TOP], np.float32)
    try:
        drawn = close_lids(image.astype(np.float32), placed, scale, 1.0)
    except IndexError:  # the eyes lie outside the picture
        return image
    return np.clip(drawn, 0, 255).astype(np.uint8)


def _face_part(image: Image, faces: Detections, row: int) -> tuple[Image, float]:
    """Return the surroundings of a face, the face in their middle, and its size."""
    left, top, right, bottom = faces.boxes[row].tolist()
    reach = int(AROUND * max(right - left, bottom - top))
    x, y = round((left + right) / 2), round((top + bottom) / 2)
    padded = np.pad(image, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
    return padded[y : y + 2 * reach, x : x + 2 * reach], float(np.sqrt((right - left) * (bottom - top)))


def _differences(full: Array, small: Array, shut: Array) -> dict[str, Any]:
    """Return mean absolute differences of all signals, where both are known, and how eyes are told from closed ones."""
    found = ~np.isnan(small[:, 1])
    row: dict[str, Any] = {"n": int(found.sum()), "not_found": int((~found).sum())}
    for column, name in enumerate(SIGNALS[1:], start=1):
        row[name] = float(np.nanmean(abs(small[:, column] - full[:, column])))
    off = abs(small[:, 4] - full[:, 4])
    both = ~np.isnan(shut) & ~np.isnan(small[:, 4]) & (abs(full[:, 1]) <= EYES_YAW)
    openness, own = np.concatenate([small[both, 4], shut[both]]), np.tile(full[both, 4], 2)
    closed = np.arange(len(openness)) >= both.sum()
    aucs = {"auc": area_under_curve(-openness, closed), "auc_own": area_under_curve(-openness / own, closed)}
    return {**row, "eyes_95": float(np.nanquantile(off, 0.95)), "n_eyes": int(both.sum()), **aucs}


def cost(threads: int) -> dict[str, float]:
    """Return milliseconds for a face, of the network alone and with cutting out and geometry."""
    reader, draw = HeadReader(runtime=Runtime(threads=threads)), np.random.default_rng(0)
    image = draw.integers(0, 256, (720, 1280, 3), dtype=np.uint8)
    boxes = np.array([[100 + 90 * k, 200, 148 + 90 * k, 264] for k in range(12)], np.float32)
    points = boxes[:, None, :2] + np.array([[14, 24], [34, 24], [24, 36], [16, 48], [32, 48]], np.float32)
    crop = np.zeros((1, 256, 256, 3), np.float32)
    alone, whole = [], []
    for _ in range(12):
        start = time.perf_counter()
        reader.mesh.network(crop)
        middle = time.perf_counter()
        reader.read(image, boxes, points.astype(np.float32))
        alone.append((middle - start) * 1e3)
        whole.append((time.perf_counter() - middle) / len(boxes) * 1e3)
    return {"network_ms": min(alone), "whole_ms": min(whole)}


def show(figures: dict[str, Any]) -> None:
    """Print every table."""
    for name in ("turned", "gazed", "room"):
        print(name)
        for row in figures[name]:
            print("  " + "  ".join(f"{key} {value:.4g}" for key, value in row.items()))
    for name, row in figures["cost"].items():
        print(f"cost, {name}: " + "  ".join(f"{key} {value:.1f}" for key, value in row.items()))
    for row in figures.get("pictures", {}).get("compared", []):
        print("pictures  " + "  ".join(f"{key} {value:.3g}" for key, value in row.items()))
    for size, files in figures.get("pictures", {}).get("eyes", {}).items():
        print(f"eyes at {size}: {files}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--media", type=Path, help="folder of pictures with faces")
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 48, 40, 32, 24])
    parser.add_argument("--seeds", type=int, default=1, help="how many rooms")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    bench, head = Bench(options.threads), load_head(2.0)
    figures: dict[str, Any] = {
        "turned": turned(bench, head, options.sizes),
        "gazed": gazed(bench, head, options.sizes),
        "room": room(bench, options.sizes, range(options.seeds)),
        "cost": {"1 thread": cost(1), "2 threads": cost(2)},
    }
    if options.media is not None:
        figures["pictures"] = pictures(bench, options.media, options.sizes)
    if options.json:
        print(json.dumps(figures, indent=2))
    else:
        show(figures)


if __name__ == "__main__":
    main()
