"""One picture read: its faces, its expressions, and what the purpose lets be seen of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pictures

from roomread.app.panel import find_mapping
from roomread.app.predict import Finder, predict
from roomread.errors import SourceError
from roomread.faces.onnx import Network
from roomread.types import N_EMOTIONS, Array, Detections, Image, Prediction

SHARMA = find_mapping("sharma")


class Grays:
    """Answers by the mean gray of a face: the lighter, the happier, else neutral."""

    name = "grays"

    def predict_faces(self, faces: Array) -> Array:
        answers = np.zeros((len(faces), N_EMOTIONS), np.float32)
        answers[:, 3] = faces.mean(axis=(1, 2, 3)) / 255
        answers[:, 6] = 1 - answers[:, 3]
        return answers


class Found:
    """Finds so many faces side by side, each of one size."""

    def __init__(self, n: int, size: float = 20) -> None:
        self.networks = dict[str, Network]()
        left = np.arange(n, dtype=np.float32) * 30
        self.boxes = np.stack([left, 0 * left, left + size, 0 * left + size], axis=1)

    def detect(self, image: Image) -> Detections:
        n = len(self.boxes)
        points = np.zeros((n, 5, 2), np.float32)
        points[:, 1, 0] = 9  # the eyes, apart as seen from the front
        return Detections(self.boxes, np.ones(n, np.float32), points)


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Prediction]:
    """A function that reads a picture that gets lighter to the right, with stripes as a face has lines."""
    ramp = np.linspace(40, 215, 300)[None] + 40 * np.where(np.arange(60) // 3 % 2, 1, -1)[:, None]
    Pictures.fromarray(ramp.astype(np.uint8)).save(tmp_path / "ramp.png")

    def call(detector: Found | None, **purpose: str) -> Prediction:
        finder = None if detector is None else Finder(detector)
        return predict(tmp_path / "ramp.png", Grays(), finder, SHARMA, **purpose)

    return call


def test_a_whole_picture_is_one_face(read: Callable[..., Prediction]) -> None:
    seen = read(None)
    assert seen.boxes.tolist() == [[0, 0, 300, 60]]
    assert seen.emotions[0, 3] == pytest.approx(0.5, abs=0.01)
    assert seen.engagement[0] == pytest.approx(SHARMA.score(seen.emotions, np.empty((1, 7)))[0])
    assert seen.single


def test_no_face_is_an_answer(read: Callable[..., Prediction]) -> None:
    seen = read(Found(0))
    assert (len(seen.boxes), seen.n_readable) == (0, 0)
    assert np.isnan(seen.together).all()
    assert np.isnan(seen.engagement_together)


def test_a_face_too_small_to_read_is_missing_and_not_low(read: Callable[..., Prediction]) -> None:
    seen = read(Found(1, size=12))
    assert len(seen.boxes) == 1
    assert np.isnan(seen.engagement[0])
    assert seen.n_readable == 0
    assert np.isnan(seen.engagement_together)


@pytest.mark.parametrize(("n", "together"), [(2, False), (4, False), (5, True)])
def test_several_faces_are_shown_only_together_and_only_if_they_are_enough(
    read: Callable[..., Prediction], n: int, together: bool
) -> None:
    seen = read(Found(n))
    assert not seen.single
    assert np.isnan(seen.emotions).all()
    assert np.isnan(seen.engagement).all()
    assert np.isfinite(seen.together).all() == together
    assert np.isfinite(seen.engagement_together) == together
    assert "single faces are not" in seen.rule


def test_research_with_a_reference_sees_every_face(read: Callable[..., Prediction]) -> None:
    seen = read(Found(3), purpose="research", reference="IRB 7")
    assert seen.single
    assert np.all(np.diff(seen.emotions[:, 3]) > 0)  # lighter to the right
    assert seen.engagement_together == pytest.approx(seen.engagement.mean())
    assert not read(Found(3), purpose="research").single


def test_what_is_no_picture_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(SourceError, match="it is no picture"):
        predict(tmp_path / "a.png", Grays(), None, SHARMA)
