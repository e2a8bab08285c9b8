"""One picture, and what a model says of the faces in it; nothing is stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from roomread.engagement.mappings import Mapping
from roomread.faces.detector import Detector
from roomread.faces.expression import Classifier, ExpressionSettings, read_expressions
from roomread.pictures import read_picture
from roomread.preprocess import whole_face
from roomread.store.privacy import allowance_for
from roomread.types import N_EMOTIONS, Prediction


def predict(
    path: Path,
    model: Classifier,
    detector: Detector | None,
    mapping: Mapping,
    purpose: str = "self-study",
    reference: str | None = None,
) -> Prediction:
    """Read the expressions in a picture file, and the engagement that a mapping makes of them.

    Args:
        path: the picture.
        model: what reads expressions.
        detector: what finds faces; None takes the whole picture as one face, as the original project's script did.
        mapping: from expressions to engagement.
        purpose: one of PURPOSES. A single face in the picture is shown for any but demo; several only for research.
        reference: ethics or consent number, which research needs to see single faces.

    Raises:
        SourceError: the file is no picture.
    """
    picture = read_picture(path)
    if detector is None:
        boxes = np.array([[0, 0, picture.shape[1], picture.shape[0]]], np.float32)
        faces = whole_face(picture)[None]
        emotions = model.predict_faces(faces)
    else:
        found = detector.detect(picture)
        boxes = found.boxes
        emotions, faces = read_expressions(model, picture, boxes, ExpressionSettings(), found.points)
    engagement = mapping.score(emotions)
    seen = allowance_for(purpose, reference, len(boxes), "face")
    readable = np.isfinite(emotions).all(axis=1)
    shown = max(int(readable.sum()), 1) >= seen.min_seats and bool(readable.any())
    nothing = np.full(N_EMOTIONS, np.nan)
    return Prediction(
        name=path.name,
        picture=picture,
        boxes=boxes,
        faces=faces,
        emotions=emotions if seen.single else np.full_like(emotions, np.nan),
        engagement=engagement if seen.single else np.full_like(engagement, np.nan),
        together=emotions[readable].astype(np.float64).mean(axis=0) if shown else nothing,
        engagement_together=float(engagement[readable].mean()) if shown else float("nan"),
        n_readable=int(readable.sum()),
        single=seen.single,
        rule=seen.rule,
    )
