"""What the shape of a face tells: where the head points, how open eyes and mouth are, where the eyes look.

Every signal has a face size below which it is missing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from roomread.errors import ModelError
from roomread.faces.boxes import sizes as box_sizes
from roomread.faces.mesh import FaceMesh, Meshes
from roomread.faces.onnx import Runtime
from roomread.modelcard import MESH, sha256_of
from roomread.types import N_SIGNALS, Array, Image, check_shape

CANONICAL = MESH.with_suffix(".canonical.json")

# The mesh turns less than the head, and less in small faces. All corrections come from the demo's head, drawn at known
# turns from one photograph in the public domain, and from nothing else (benchmarks/signals.py shows them again).
YAW_SEEN = ((24.0, 32.0, 40.0, 64.0), (0.635, 0.685, 0.71, 0.735))  # face sizes in pixels, and the share that is seen
PITCH_SEEN = ((24.0, 32.0, 40.0, 64.0), (0.755, 0.845, 0.89, 0.955))
PITCH_AT_CAMERA = 11.4  # degrees, after that correction, of a face drawn as photographed; 11.2 to 11.7 at all sizes

EYES = ((33, 160, 158, 133, 153, 144), (362, 385, 387, 263, 373, 380))  # corner, two above, corner, two below
IRISES = (468, 473)
LIDS = ((159, 145), (386, 374))  # the middles of the upper and the lower one
LIPS = (13, 14)  # the inner edges' middles
LIP_EDGES = (0, 17)  # the outer ones
GAZE_SEEN = 0.77  # likewise, of a known shift of the irises; 0.74 to 0.79 from 40 to 64 px
HALF_EYE_PER_BALL = 15 / 12  # millimetres: half the width between the corners, over the eyeball's radius


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadSettings:
    """Where each signal is missing rather than guessed. Sizes are pixels, root of the box's area.

    The errors are those of reduced faces of WIDER against the same at full size (benchmarks/signals.py --media).
    """

    pose_size: float = 24.0  # yaw is off by 1.9 degrees at 32 px (n = 149) and 3.3 at 24 (239); below, faces get lost
    eyes_size: float = 40.0  # 95% of readings within 0.06 of the full size's; 0.09 at 32 px is half of open to closed
    mouth_size: float = 32.0  # off by 0.02 on average; 0.03 at 24 px

    def __post_init__(self) -> None:
        for name in ("pose_size", "eyes_size", "mouth_size"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0. Received: {getattr(self, name)}.")


@dataclass(frozen=True, slots=True, eq=False)
class StandardFace:
    """The points of a standard face that a head's pose is measured against.

    numbers: int64 (k,), of the mesh's points.
    points: float64 (k, 3), centimetres from their middle: x to the picture's right, y upwards, z towards the viewer.
    weights: float64 (k,), 0 to 1; they sum to 1.
    """

    numbers: Array
    points: Array
    weights: Array


class HeadReader:
    """Read the signals of the faces of a picture."""

    def __init__(self, settings: HeadSettings | None = None, runtime: Runtime | None = None) -> None:
        """Open the mesh and its standard face.

        Args:
            settings: where signals are missing.
            runtime: what it runs on; None takes the usual threads of the processor.

        Raises:
            ModelError: a file is missing, damaged, or for something else, or the device cannot be used.
        """
        self.settings = HeadSettings() if settings is None else settings
        self.mesh = FaceMesh(runtime)
        self.face = read_standard_face(CANONICAL, str(self.mesh.network.card.recipe.get(CANONICAL.name)))

    def read(self, image: Image, boxes: Array, points: Array) -> Array:
        """Return the signals of each face; a face too small for any of them is not looked at.

        Args:
            image: uint8 (height, width, 3), RGB.
            boxes: float32 (n, 4), pixels, (left, top, right, bottom).
            points: float32 (n, 5, 2), pixels, as in `Detections`.

        Returns:
            float32 (n, 11), in the order of SIGNALS; NaN where something is missing.
        """
        check_shape("boxes", boxes, (None, 4))
        check_shape("points", points, (len(boxes), 5, 2))
        sizes = box_sizes(boxes)
        large = sizes >= min(self.settings.pose_size, self.settings.eyes_size, self.settings.mouth_size)
        signals = np.full((len(boxes), N_SIGNALS), np.nan, np.float32)
        if large.any():
            meshes = self.mesh.measure(image, boxes[large], points[large])
            signals[large] = read_signals(meshes, sizes[large], self.face, self.settings)
        return signals


def read_standard_face(path: Path, sha256: str) -> StandardFace:
    """Return the standard face.

    Raises:
        ModelError: the file is missing, damaged, or not the one that the mesh's card names.
    """
    received = sha256_of(path)
    if received != sha256:
        raise ModelError(
            f"The file {path} is not the one that the card beside it names. Expected: SHA-256 {sha256}. "
            f"Received: {received}. Copy both together."
        )
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        numbers = np.array([int(number) for number in kept["weights"]], np.int64)
        weights = np.array(list(kept["weights"].values()), np.float64)
        points = np.asarray(kept["points"], np.float64)[numbers]
    except (ValueError, KeyError, IndexError, AttributeError, TypeError) as error:
        raise ModelError(f"The file {path} is no standard face: {error}. Copy it from its origin.") from error
    weights = weights / weights.sum()
    return StandardFace(numbers, points - weights @ points, weights)


def read_signals(meshes: Meshes, sizes: Array, face: StandardFace, settings: HeadSettings) -> Array:
    """Return what `HeadReader.read` does, from shapes that are known already.

    Args:
        meshes: n of them.
        sizes: float32 (n,), pixels, root of the box's area.
        face: the standard face.
        settings: where signals are missing.
    """
    check_shape("sizes", sizes, (len(meshes),))
    angles, level = head_poses(meshes.points, sizes, face)
    no_eyes, no_mouth = sizes < settings.eyes_size, sizes < settings.mouth_size
    parts = (
        (meshes.presence, np.zeros(len(meshes), bool)),
        *((angle, sizes < settings.pose_size) for angle in angles.T),
        (eye_openness(level), no_eyes),
        (gaze(level), no_eyes),
        (mouth_opening(level), no_mouth),
        *((lid, no_eyes) for lid in lid_heights(level)),
        *((lip, no_mouth) for lip in lip_heights(level)),
    )
    return np.column_stack([np.where(missing, np.nan, values) for values, missing in parts]).astype(np.float32)


def head_poses(points: Array, sizes: Array, face: StandardFace) -> tuple[Array, Array]:
    """Return how each head is turned, and its points as they are when it is not.

    The standard face is turned, scaled and moved onto each face (Umeyama 1991, weighted); the picture is taken as seen
    from far away, so that 0 means towards the camera wherever in the picture the face is. A head is first tilted, then
    turned (yaw), then lowered (pitch): so a camera that looks down on the room changes the pitch, hardly the yaw.

    Args:
        points: float32 (n, 478, 3), pixels.
        sizes: float32 (n,), pixels, root of the box's area.
        face: the standard face.

    Returns:
        float64 (n, 3), degrees: yaw, pitch and roll, see SIGNALS. And float64 (n, 478, 3), pixels: x to the right of
        the face as the viewer sees it, y upwards, z towards the viewer.
    """
    upwards = points.astype(np.float64) * (1, -1, -1)
    seen = upwards[:, face.numbers]
    seen = seen - np.einsum("k,nki->ni", face.weights, seen)[:, None]
    left, _, right = np.linalg.svd(np.einsum("k,nki,kj->nij", face.weights, seen, face.points))
    left[:, :, 2] *= np.sign(np.linalg.det(left @ right))[:, None]  # a turn, never a mirror image
    turns = left @ right
    forward = turns[:, :, 2]
    yaw = np.arcsin(np.clip(forward[:, 0], -1, 1))
    pitch = np.arctan2(-forward[:, 1], forward[:, 2])
    level = np.stack([np.cos(yaw), np.sin(yaw) * np.sin(pitch), -np.sin(yaw) * np.cos(pitch)], axis=1)  # without roll
    roll = np.arctan2(-(np.cross(forward, level) * turns[:, :, 0]).sum(axis=1), (level * turns[:, :, 0]).sum(axis=1))
    yaw, pitch, roll = np.degrees([yaw, pitch, roll])
    yaw, pitch = yaw / np.interp(sizes, *YAW_SEEN), pitch / np.interp(sizes, *PITCH_SEEN) - PITCH_AT_CAMERA
    return np.column_stack([yaw, pitch, roll]), upwards @ turns


def eye_openness(level: Array) -> Array:
    """Return height over width of the opening between the lids, mean of both eyes: float64 (n,), see SIGNALS.

    Args:
        level: float64 (n, 478, 3), from `head_poses`; seen from the front a turned head's eyes are not too narrow.
    """
    ratios = []
    for eye in EYES:
        first, above, above_2, second, below_2, below = np.moveaxis(level[:, eye, :2], 1, 0)
        heights = _length(above - below) + _length(above_2 - below_2)
        ratios.append(heights / (2 * _length(first - second)))
    openness: Array = np.mean(ratios, axis=0)
    return openness


def gaze(level: Array) -> Array:
    """Return how far the eyes look to the picture's right of where the head points: float64 (n,), degrees.

    Args:
        level: float64 (n, 478, 3), from `head_poses`.
    """
    shifts = []
    for eye, iris in zip(EYES, IRISES, strict=True):
        first, second = level[:, eye[0], :2], level[:, eye[3], :2]
        width = _length(second - first)
        along = ((level[:, iris, :2] - (first + second) / 2) * (second - first)).sum(axis=1) / width
        shifts.append(2 * along / width)  # of half the eye's width
    turned: Array = np.degrees(np.arcsin(np.clip(np.mean(shifts, axis=0) * HALF_EYE_PER_BALL / GAZE_SEEN, -1, 1)))
    return turned


def mouth_opening(level: Array) -> Array:
    """Return the distance of the lips over that of the eyes' outer corners: float64 (n,), see SIGNALS.

    Args:
        level: float64 (n, 478, 3), from `head_poses`.
    """
    lips, corners = level[:, LIPS[0]] - level[:, LIPS[1]], level[:, EYES[0][0]] - level[:, EYES[1][3]]
    opening: Array = _length(lips) / _length(corners)
    return opening


def lid_heights(level: Array) -> tuple[Array, Array]:
    """Return how far the upper lid is above the line between the eye's corners, and the lower one below it.

    Args:
        level: float64 (n, 478, 3), from `head_poses`.

    Returns:
        Twice float64 (n,), see SIGNALS.
    """
    above, below = [], []
    for eye, (upper, lower) in zip(EYES, LIDS, strict=True):
        first, second = level[:, eye[0]], level[:, eye[3]]
        width, line = _length(second - first), (first + second)[:, 1] / 2
        above.append((level[:, upper, 1] - line) / width)
        below.append((line - level[:, lower, 1]) / width)
    return np.mean(above, axis=0), np.mean(below, axis=0)


def lip_heights(level: Array) -> tuple[Array, Array]:
    """Return the height of the upper lip, and of both lips with what is between them.

    Args:
        level: float64 (n, 478, 3), from `head_poses`.

    Returns:
        Twice float64 (n,), see SIGNALS.
    """
    corners = _length(level[:, EYES[0][0]] - level[:, EYES[1][3]])
    top, bottom = (level[:, edge] for edge in LIP_EDGES)
    return _length(top - level[:, LIPS[0]]) / corners, _length(top - bottom) / corners


def _length(vectors: Array) -> Array:
    """Return the length of each vector."""
    lengths: Array = np.linalg.norm(vectors, axis=-1)
    return lengths
