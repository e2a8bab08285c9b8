"""One picture, and what a model says of the faces in it; nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from roomread.engagement.mappings import Mapping
from roomread.faces.detector import Detector
from roomread.faces.expression import Classifier, ExpressionSettings, read_expressions
from roomread.outside import shown
from roomread.pictures import read_picture
from roomread.preprocess import crop_faces, whole_face
from roomread.store.privacy import MIN_SEATS, allowance_for
from roomread.types import N_EMOTIONS, N_SIGNALS, Array, Prediction
from roomread.watch.signals import HeadSource


@dataclass(frozen=True, slots=True)
class Finder:
    """What finds faces in a picture, and what reads heads, eyes and mouths of them, for mappings that look at these."""

    detector: Detector
    head: HeadSource | None = None


def predict(
    path: Path,
    model: Classifier,
    finder: Finder | None,
    mapping: Mapping,
    purpose: str = "self-study",
    reference: str | None = None,
) -> Prediction:
    """Read the expressions in a picture file, and the engagement that a mapping makes of them.

    Args:
        path: the picture.
        model: what reads expressions.
        finder: what finds faces; None takes the whole picture as one face, as the original project's script did.
        mapping: to engagement.
        purpose: one of PURPOSES. A single face in the picture is shown for any but demo; several only for research.
        reference: ethics or consent number, which research needs to see single faces.

    Raises:
        SourceError: the file is no picture.
    """
    picture = read_picture(path)
    if finder is None:
        boxes = np.array([[0, 0, picture.shape[1], picture.shape[0]]], np.float32)
        faces = whole_face(picture)[None]
        emotions = model.predict_faces(faces)
    else:
        found = finder.detector.detect(picture)
        boxes = found.boxes
        faces = crop_faces(picture, boxes)
        emotions, _ = read_expressions(model, faces, boxes, ExpressionSettings(), found.points)
    signals = np.full((len(boxes), N_SIGNALS), np.nan, np.float32)
    if finder is not None and finder.head is not None:
        signals = finder.head.read(picture, boxes, found.points)
    engagement = mapping.score(emotions, signals)
    seen = allowance_for(purpose, reference, len(boxes), "face")
    readable = np.asarray(~np.isnan(emotions).any(axis=1))
    scored = np.asarray(~np.isnan(engagement))

    def enough(faces: Array) -> bool:
        return int(faces.sum()) >= (1 if seen.single else MIN_SEATS)

    nothing = np.full(N_EMOTIONS, np.nan)
    return Prediction(
        name=shown(path),
        picture=picture,
        boxes=boxes,
        faces=faces,
        emotions=emotions if seen.single else np.full_like(emotions, np.nan),
        engagement=engagement if seen.single else np.full_like(engagement, np.nan),
        together=emotions[readable].astype(np.float64).mean(axis=0) if enough(readable) else nothing,
        engagement_together=float(engagement[scored].mean()) if enough(scored) else float("nan"),
        n_readable=int(readable.sum()),
        levels=mapping.sets(signals) if mapping.sets is not None and seen.single else {},
        single=seen.single,
        rule=seen.rule,
    )
