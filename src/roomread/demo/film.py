"""From a plan to a video: heads and bodies are drawn once for each pose, set into the room, and encoded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
import numpy.typing as npt
from PIL import Image as Pictures

from roomread.demo.face import Head, draw_pose, load_head
from roomread.demo.figures import ARMS, BODY, draw_arms, draw_body
from roomread.demo.layout import DESK, Seat
from roomread.demo.scenery import draw_room
from roomread.demo.script import LEAN, Movement, RoomSettings
from roomread.demo.truth import DEPTH, Plan, Room, describe, desk_line, head_places, plan_room
from roomread.errors import OutputError
from roomread.output import write_whole
from roomread.types import Image

FINER_HEADS = 1.2  # heads are drawn larger than the largest one seen, so that reducing them smooths their edges
PHOTOGRAPHED = 91  # width of the face in the photograph, pixels
CODING = {"preset": "ultrafast", "crf": "22", "threads": "2"}  # half veryfast's time; 22 keeps lids apart at 60 px
POSES_KEPT, SPRITES_KEPT = 256, 2048  # in memory: heads of 0.3 MB, and cut-outs of at most 0.1 MB over all seats
NOISE = 1.0  # standard deviation of the camera's noise in gray levels
BYTES = 0.012  # of the video for one pixel of one frame
BODY_FOLLOWS = 0.8  # share of the head's lean that the shoulders make


@dataclass(frozen=True, slots=True, eq=False)
class Sprite:
    """A small picture with soft edges.

    colours: uint8 (height, width, 3), already multiplied by alpha.
    keep: uint16 (height, width, 1), 0 to 256; what remains of the picture below.
    left, top: pixels from the point where it is placed to its corner.
    """

    colours: Image
    keep: npt.NDArray[np.uint16]
    left: int
    top: int


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A sprite's place in one frame, in pixels; nothing of it is painted from row `floor` on."""

    sprite: Sprite
    left: int
    top: int
    floor: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The part of the picture that it paints: left, top, right, bottom."""
        height, width = self.sprite.colours.shape[:2]
        return self.left, self.top, self.left + width, max(min(self.top + height, self.floor), self.top)

    def same(self, other: Layer) -> bool:
        """Return whether both paint the same pixels."""
        return self.sprite is other.sprite and self.box == other.box


def build_room(settings: RoomSettings, out: Path, progress: Callable[[float], None] | None = None) -> Room:
    """Build a synthetic classroom video whose truth is known.

    Args:
        settings: how the room looks and how long it is watched.
        out: the folder for room.mp4 (H.264) and room.json; made when it is missing. Both appear when complete.
        progress: called with the finished share, 0 to 1.

    Returns:
        the two paths and the truth.

    Raises:
        MissingExtraError: scikit-image, which carries the photograph, is not installed.
        OutputError: the files cannot be written.
    """
    plan = plan_room(settings)
    truth = describe(plan)
    video, truth_file = out / "room.mp4", out / "room.json"
    frames, text = paint_frames(plan), json.dumps(truth, separators=(",", ":"))
    try:
        write_whole(
            {
                video: lambda path: _encode(settings, frames, path, progress),
                truth_file: lambda path: path.write_text(text, encoding="utf-8"),
            }
        )
    except (OutputError, av.error.FFmpegError) as error:
        size = 1 + settings.n_frames * settings.width * settings.height * BYTES / 1e6
        raise OutputError(
            f"The synthetic room cannot be written to {out}. Expected: a folder with room for about {size:.0f} MB. "
            f"Received: {error.__cause__ or error}. Choose another folder, or free space."
        ) from error
    return Room(video, truth_file, truth)


def paint_frames(plan: Plan) -> Iterator[Image]:
    """Yield every frame of the room without noise, uint8 (height, width, 3); the array is used again for the next one.

    Raises:
        MissingExtraError: scikit-image is not installed; at the first frame.
    """
    settings = plan.settings
    background = draw_room(settings, plan.seats)
    people = list(zip(plan.seats, plan.movements, strict=True))
    largest = max(seat.face_width * float(movement.scale.max()) for seat, movement in people)
    head = load_head(float(np.clip(FINER_HEADS * largest / PHOTOGRAPHED, 0.6, 3)))
    pose = lru_cache(maxsize=POSES_KEPT)(lambda yaw, pitch, lids: draw_pose(head, yaw, pitch, lids))
    kept = max(64, SPRITES_KEPT // len(plan.seats))
    actors = [Actor(seat, movement, head, pose, kept) for seat, movement in people]
    walkers = [_cut(picture, 0, 0) for picture in plan.walk.pictures]
    canvas = background.copy()
    before: list[Layer] = []
    for frame in range(settings.n_frames):
        layers = [layer for actor in actors for layer in actor.layers(frame)]
        if frame in plan.walk.places:
            left, top, phase = plan.walk.places[frame]
            layers.append(_place(walkers[phase], left, top, settings.height))
        for box in _changed(before, layers):
            _repaint(canvas, background, layers, box)
        before = layers
        yield canvas


class Actor:
    """One seat's person: knows its layers in every frame and draws each of their pictures once."""

    def __init__(self, seat: Seat, movement: Movement, head: Head, pose: Callable[..., Image], kept: int) -> None:
        self._seat, self._movement, self._head, self._pose = seat, movement, head, pose
        self._xs, self._ys = head_places(seat, movement)
        self._floor = desk_line(seat)
        self._posed = lru_cache(maxsize=64)(self._draw_posed)
        self._sprite = lru_cache(maxsize=kept)(self._draw_head)
        self._body = lru_cache(maxsize=16)(self._draw_body)
        self._arms = lru_cache(maxsize=16)(self._draw_arms)

    def layers(self, frame: int) -> list[Layer]:
        """Return body, arms and head of one frame, back to front; none while the person is away."""
        seat, move = self._seat, self._movement
        if move.sink[frame] >= 1:
            return []
        scale, lean, unit = float(move.scale[frame]), float(move.lean[frame]), seat.face_width
        x = round(seat.x + BODY_FOLLOWS * LEAN[0] * lean * unit)
        y = round(seat.y + (BODY_FOLLOWS * LEAN[1] * abs(lean) + float(move.sink[frame]) * DEPTH) * unit)
        layers = [_place(self._body(scale), x, y, self._floor)]
        if move.sink[frame] == 0:  # the arms lie on the desk
            layers.append(_place(self._arms(scale), x, self._floor, self._floor + round(unit)))
        halves = round(2 * float(self._xs[frame])), round(2 * float(self._ys[frame]))  # half pixels: smooth enough
        pose = (float(move.yaw[frame]), float(move.pitch[frame]), float(move.lids[frame]))
        head = self._sprite(pose, scale, halves[0] % 2, halves[1] % 2)
        return [*layers, _place(head, halves[0] // 2, halves[1] // 2, self._floor)]

    def _draw_body(self, scale: float) -> Sprite:
        return _centred(draw_body(self._seat, scale), round(BODY[1] * self._seat.face_width * scale))

    def _draw_arms(self, scale: float) -> Sprite:
        """Draw the arms, which are placed from the desk's edge on."""
        return _centred(draw_arms(self._seat, scale), round((ARMS[0] - DESK) * self._seat.face_width * scale))

    def _draw_posed(self, yaw: float, pitch: float, lids: float) -> Pictures.Image:
        """Mirror and tilt the head as it is at this seat; four channels, none of which is taken for an alpha."""
        seat = self._seat
        drawn = self._pose(-yaw, pitch, lids)[:, ::-1] if seat.mirrored else self._pose(yaw, pitch, lids)
        picture = Pictures.frombytes("RGBX", drawn.shape[1::-1], np.ascontiguousarray(drawn).tobytes())
        return picture.rotate(-seat.roll, Pictures.Resampling.BILINEAR, center=self._middle(picture))

    def _draw_head(self, pose: tuple[float, float, float], scale: float, half_x: int, half_y: int) -> Sprite:
        """Reduce the head to the seat's size, half a pixel to the right or down where asked, and light it."""
        picture = self._posed(*pose)
        x, y = self._middle(picture)
        share = self._seat.face_width * scale / self._head.face_width
        left, top = int(np.floor(half_x / 2 - x * share)) + 1, int(np.floor(half_y / 2 - y * share)) + 1
        start = (left + x * share - half_x / 2) / share, (top + y * share - half_y / 2) / share
        size = int((picture.width - start[0]) * share), int((picture.height - start[1]) * share)
        box = (*start, start[0] + size[0] / share, start[1] + size[1] / share)
        small = np.asarray(picture.resize(size, Pictures.Resampling.BICUBIC, box=box), np.float32)
        colours, alpha = small[..., :3], small[..., 3:]
        gain = np.asarray(self._seat.gain, np.float32)
        lit = (colours * self._seat.contrast + 120 * alpha / 255 * (1 - self._seat.contrast)) * gain
        return _cut(np.concatenate((np.clip(lit, 0, alpha), alpha), axis=-1).astype(np.uint8), left, top)

    def _middle(self, picture: Pictures.Image) -> tuple[float, float]:
        x, y = self._head.middle
        return (picture.width - x if self._seat.mirrored else x), y


def _cut(picture: Image, left: int, top: int) -> Sprite:
    """Make a sprite of a picture with alpha and drop its empty margins."""
    solid = picture[..., 3] > 0
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    area = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    alpha = area[..., 3:].astype(np.uint16)
    keep = np.where(alpha == 0, 256, 255 - alpha).astype(np.uint16)
    return Sprite(np.minimum(area[..., :3], area[..., 3:]), keep, left + int(columns[0]), top + int(rows[0]))


def _centred(picture: Image, top: int) -> Sprite:
    return _cut(picture, -(picture.shape[1] // 2), top)


def _place(sprite: Sprite, x: int, y: int, floor: int) -> Layer:
    return Layer(sprite, x + sprite.left, y + sprite.top, floor)


def _changed(before: list[Layer], now: list[Layer]) -> list[tuple[int, int, int, int]]:
    """Return the boxes in which two frames differ: where a layer was that is no more, and where a new one is."""
    gone = [old.box for old in before if not any(old.same(new) for new in now)]
    return gone + [new.box for new in now if not any(new.same(old) for old in before)]


def _repaint(canvas: Image, background: Image, layers: list[Layer], box: tuple[int, int, int, int]) -> None:
    """Paint one box of the picture anew, back to front."""
    left, top = max(box[0], 0), max(box[1], 0)
    right, bottom = min(box[2], canvas.shape[1]), min(box[3], canvas.shape[0])
    if left >= right or top >= bottom:
        return
    canvas[top:bottom, left:right] = background[top:bottom, left:right]
    for layer in layers:
        x0, y0, x1, y1 = layer.box
        x0, y0, x1, y1 = max(x0, left), max(y0, top), min(x1, right), min(y1, bottom)
        if x0 < x1 and y0 < y1:
            part = (slice(y0 - layer.top, y1 - layer.top), slice(x0 - layer.left, x1 - layer.left))
            below = canvas[y0:y1, x0:x1]
            canvas[y0:y1, x0:x1] = ((below * layer.sprite.keep[part]) >> 8) + layer.sprite.colours[part]


def _encode(
    settings: RoomSettings, frames: Iterator[Image], path: Path, progress: Callable[[float], None] | None
) -> None:
    """Write frames as H.264, with the camera's noise on their brightness."""
    rng = np.random.default_rng([settings.seed, 30_000])
    grain = np.clip(rng.normal(0, NOISE, (settings.height + 64, settings.width + 64)), -12, 12)
    grains = grain.round().astype(np.int8).view(np.uint8)  # added with wrap-around; 16 to 235 plus 12 never wraps
    with av.open(str(path), "w", format="mp4") as container, ThreadPoolExecutor(1) as encoder:
        stream = container.add_stream("libx264", rate=settings.fps, options=CODING)
        stream.width, stream.height, stream.pix_fmt = settings.width, settings.height, "yuv420p"
        colours = av.VideoFrame(settings.width, settings.height, "rgb24")
        target = _plane(colours, 0)[:, : 3 * settings.width].reshape(settings.height, settings.width, 3)
        encoded: Future[None] | None = None  # of the frame before, while this one is painted
        for number, image in enumerate(frames):
            target[...] = image
            frame = colours.reformat(format="yuv420p", interpolation="POINT")  # sizes stay; half the time
            down, right = rng.integers(0, 64, 2)
            bright = _plane(frame, 0)[:, : settings.width]
            bright += grains[down : down + settings.height, right : right + settings.width]
            frame.pts = number
            if encoded is not None:
                encoded.result()
            encoded = encoder.submit(lambda frame: container.mux(stream.encode(frame)), frame)
            if progress is not None:
                progress((number + 1) / settings.n_frames)
        if encoded is not None:
            encoded.result()
        container.mux(stream.encode(None))


def _plane(frame: av.VideoFrame, number: int) -> npt.NDArray[np.uint8]:
    """Return a plane's own memory, uint8 (height, bytes of a line)."""
    plane: Any = frame.planes[number]  # offers its memory, which its type does not say
    lines = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return np.asarray(lines[: plane.height], np.uint8)
