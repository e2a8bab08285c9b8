"""Figures of a data set and of what augmentation does to a face."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image as Pictures

from roomread.errors import DataError, SourceError
from roomread.learn.augment import AugmentSettings
from roomread.learn.augment_figure import changes_alone, draw_changes, face_of_data, face_of_picture
from roomread.learn.data_figures import draw_counts, draw_samples
from roomread.learn.datasets import LabelledFaces

pytestmark = pytest.mark.learn


def words(path: Path) -> str:
    """Return the text of an SVG figure: Matplotlib writes it as comments before its outlines."""
    return path.read_text(encoding="utf-8")


def test_the_figure_of_counts_names_every_class_split_and_number(labelled_faces: LabelledFaces, tmp_path: Path) -> None:
    text = words(draw_counts(labelled_faces[np.arange(55)], "made up", tmp_path / "counts.svg"))
    for word in ("made up: faces per class and split", "neutral", "validation (of Training)", "n = 42", "6 · 14%"):
        assert f"<!-- {word}" in text, word


def test_the_figure_of_samples_shows_a_face_of_every_class_and_says_where_there_is_none(
    labelled_faces: LabelledFaces, tmp_path: Path
) -> None:
    faces = labelled_faces[(labelled_faces.labels != 2) | (labelled_faces.usages == "Training")]
    text = words(draw_samples(faces, "made up", tmp_path / "samples.svg"))
    assert (
        text.count("<image") == 5 * 7 - 3
    )  # Training, validation, PublicTest, PrivateTest, test; no fear in the tests
    assert text.count("<!-- none") == 3
    assert text.count("<!-- row ") == 5 * 7 - 3


def test_a_blank_face_is_no_sample(labelled_faces: LabelledFaces, tmp_path: Path) -> None:
    faces = labelled_faces[np.arange(7)]
    faces.images[3] = 9
    assert words(draw_samples(faces, "made up", tmp_path / "samples.svg")).count("<!-- none") == 1


def test_the_same_data_gives_the_same_figure(labelled_faces: LabelledFaces, tmp_path: Path) -> None:
    faces = labelled_faces[np.r_[0:14]]
    one = draw_samples(faces, "made up", tmp_path / "one.svg").read_bytes()
    assert draw_samples(faces, "made up", tmp_path / "two.svg").read_bytes() == one


def test_no_faces_give_figures_without_panels(labelled_faces: LabelledFaces, tmp_path: Path) -> None:
    none = labelled_faces[np.zeros(56, bool)]
    for draw in (draw_counts, draw_samples):
        assert "<image" not in words(draw(none, "nothing", tmp_path / "none.svg"))


def test_each_change_is_made_alone_and_those_switched_off_are_not() -> None:
    alone = changes_alone(AugmentSettings(rotation=5.0, zoom=0.0, erase=0.2))
    assert list(alone) == ["flip", "rotation", "shift", "contrast", "brightness", "erase", "distant"]
    off = {"flip": False} | dict.fromkeys(("zoom", "shift", "contrast", "brightness", "distant", "blur"), 0.0)
    assert alone["rotation"] == AugmentSettings(rotation=5.0, erase=0.0, **off)  # type: ignore[arg-type]
    assert alone["erase"].erase == 1


def test_the_figure_of_changes_has_a_row_for_each_and_one_for_all(
    labelled_faces: LabelledFaces, tmp_path: Path
) -> None:
    settings = AugmentSettings(zoom=0.0, shift=0.0, contrast=0.0, distant=0.0, blur=2.0)
    text = words(draw_changes(labelled_faces.images[0], settings, 0, "a face", tmp_path / "augment.svg"))
    for word in ("Augmentation of a face", "as it is", "±12°", "up to 2 px", "25% of faces", "as in training"):
        assert word in text
    assert text.count("<image") == 1 + 6 * (5 + 1)


@pytest.mark.parametrize("shape", [(48, 48), (1, 48, 48, 1), (40, 48, 1)])
def test_one_face_is_drawn(shape: tuple[int, ...], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="`face`"):
        draw_changes(np.zeros(shape, np.uint8), AugmentSettings(), 0, "a face", tmp_path / "augment.png")


def test_a_face_of_the_data_is_the_row_named_or_the_first_that_is_not_blank(labelled_faces: LabelledFaces) -> None:
    faces = labelled_faces[np.arange(14)]
    blank = LabelledFaces(faces.images.copy(), faces.labels, faces.rows, faces.usages, faces.votes)
    blank.images[0] = 7
    face, row = face_of_data(blank)
    assert row == faces.rows[1]
    assert_array_equal(face, faces.images[1])
    assert face_of_data(blank, int(faces.rows[5]))[1] == faces.rows[5]
    with pytest.raises(DataError, match=r"The data has no row 99999\. It holds: rows 0 to"):
        face_of_data(blank, 99999)
    with pytest.raises(DataError, match="no face that is not blank"):
        face_of_data(blank[np.array([0])])


def test_a_whole_picture_is_a_face_upright_and_gray(tmp_path: Path) -> None:
    picture = Pictures.new("RGB", (64, 96), "black")
    picture.paste("white", (0, 0, 64, 48))
    turned = Pictures.Exif()
    turned[274] = 3  # upside down
    picture.save(tmp_path / "face.png", exif=turned)
    face = face_of_picture(tmp_path / "face.png", whole=True)
    assert face.shape == (48, 48, 1)
    assert face.dtype == np.uint8
    assert (face[:22] == 0).all() and (face[26:] == 255).all()


def test_a_picture_without_a_face_or_that_is_none_is_refused(tmp_path: Path) -> None:
    Pictures.new("RGB", (96, 96), "gray").save(tmp_path / "wall.png")
    with pytest.raises(SourceError, match=r"No face was found in .*wall\.png\. Choose another picture, or .* --whole"):
        face_of_picture(tmp_path / "wall.png")
    (tmp_path / "text.png").write_text("no picture")
    for name in ("text.png", "none.png"):
        with pytest.raises(SourceError, match=rf"{name} cannot be read"):
            face_of_picture(tmp_path / name)
