"""Figures of what a model says of a picture's faces."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from roomread.learn.prediction_figures import draw_looks, draw_prediction
from roomread.types import N_EMOTIONS, Array, Prediction

pytestmark = pytest.mark.learn


def prediction(n: int, single: bool = True) -> Prediction:
    """Return so many faces in a row, the first of them too small to read where there are several."""
    left = np.arange(n, dtype=np.float32) * 20
    emotions = np.full((n, N_EMOTIONS), 0.1, np.float32)
    emotions[:, 3] = 0.4
    if n > 1:
        emotions[0] = np.nan
    unknown = np.full(N_EMOTIONS, np.nan)
    return Prediction(
        name="row.png",
        picture=np.zeros((40, max(20 * n, 20), 3), np.uint8),
        boxes=np.stack([left, 0 * left, left + 15, 0 * left + 15], axis=1),
        faces=np.zeros((n, 48, 48, 1), np.uint8),
        emotions=emotions if single else np.full_like(emotions, np.nan),
        engagement=np.full(n, 0.6 if single else np.nan),
        together=np.nanmean(emotions, axis=0) if n else unknown,
        engagement_together=0.6 if n else float("nan"),
        n_readable=int(np.isfinite(emotions[:, 0]).sum()),
        levels={},
        single=single,
        rule="why",
    )


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_each_face_has_its_label_and_its_bars(tmp_path: Path) -> None:
    text = text_of(draw_prediction(prediction(3), "net", "worth little", tmp_path / "p.svg"))
    for words in ("row.png: 3 faces, 1 not readable", "2 happy 40%", "3 happy 40%, engagement 0.60", "by net."):
        assert f"<!-- {words}" in text or words in text, words
    assert "1 happy" not in text


def test_a_crowd_has_numbers_in_the_picture_and_bars_for_the_largest(tmp_path: Path) -> None:
    text = text_of(draw_prediction(prediction(20), "net", "", tmp_path / "p.svg"))
    assert text.count("engagement 0.60 -->") == 6
    assert "<!-- 20 -->" in text


def test_where_single_faces_are_not_shown_all_of_them_together_are(tmp_path: Path) -> None:
    text = text_of(draw_prediction(prediction(6, single=False), "net", "", tmp_path / "p.svg"))
    assert "<!-- 5 faces together, engagement 0.60 -->" in text
    assert "happy 40%" not in text


def test_a_picture_without_faces_is_drawn_and_says_so(tmp_path: Path) -> None:
    assert "no face found" in text_of(draw_prediction(prediction(0), "net", "", tmp_path / "p.svg"))


def test_what_the_model_looked_at_is_drawn_for_the_likeliest_expressions(tmp_path: Path) -> None:
    def look(face: Array) -> Array:
        return np.zeros((N_EMOTIONS, *face.shape[:2]), np.float32)

    text = text_of(draw_looks(prediction(2), look, "net", tmp_path / "p.svg"))
    assert "<!-- face 2, as the model sees it -->" in text
    assert "<!-- happy 40% -->" in text
    assert text.count(" 10% -->") == 2
    assert "Grad-CAM of net" in text


def test_dollar_signs_in_names_are_no_formula(tmp_path: Path) -> None:
    priced = replace(prediction(1), name=r"5$ and 6\%$.png")
    assert r"5$ and 6\%$.png: 1 face" in text_of(draw_prediction(priced, "$x^$ net", "", tmp_path / "p.svg"))
