import numpy as np
import pytest
from PIL import Image as Pictures
from PIL import ImageFilter

from roomread.faces import expression, onnx
from roomread.faces.expression import ExpressionModel, ExpressionSettings
from roomread.faces.onnx import Runtime
from roomread.preprocess import FACE_SIZE, crop_faces, sharpness
from roomread.types import EMOTIONS


@pytest.fixture(scope="module")
def model():
    return ExpressionModel(runtime=Runtime(threads=1))


def noise(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 255, shape, np.uint8)


def test_probabilities_sum_to_one_and_a_face_too_small_to_read_is_missing(model):
    boxes = np.array([[10, 10, 90, 90], [5, 5, 12, 12]], np.float32)
    image = noise((120, 160, 3))
    probabilities, sharp = model.predict(image, boxes)
    assert probabilities.shape == (2, len(EMOTIONS))
    assert probabilities[0].sum() == pytest.approx(1, abs=1e-5)
    assert np.isnan(probabilities[1]).all()
    np.testing.assert_array_equal(sharp, sharpness(crop_faces(image, boxes)))


def test_no_box_gives_no_row(model):
    probabilities, sharp = model.predict(noise((50, 50, 3)), np.empty((0, 4), np.float32))
    assert probabilities.shape == (0, 7)
    assert len(sharp) == 0


def test_the_size_of_a_batch_does_not_change_the_answer(model):
    faces = noise((9, FACE_SIZE, FACE_SIZE, 1))
    single = ExpressionModel(ExpressionSettings(batch_size=2), runtime=Runtime(threads=1))
    np.testing.assert_allclose(model.predict_faces(faces), single.predict_faces(faces), atol=1e-5)


def test_the_astronaut_is_read_as_happy(model):
    data = pytest.importorskip("skimage.data")
    probabilities, _ = model.predict(data.astronaut(), np.array([[178, 69, 264, 181]], np.float32))
    assert EMOTIONS[int(probabilities[0].argmax())] == "happy"


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match="min_size"):
        ExpressionSettings(min_size=0)


def test_the_rounded_model_answers_nearly_as_the_other():
    faces = pytest.importorskip("skimage.data").astronaut()[60:190, 160:280]
    boxes = np.array([[10, 5, 110, 125], [0, 0, 120, 130]], np.float32)
    exact = ExpressionModel(ExpressionSettings(precision="float32")).predict(faces, boxes)[0]
    rounded = ExpressionModel(ExpressionSettings(precision="int8")).predict(faces, boxes)[0]
    np.testing.assert_allclose(rounded, exact, atol=0.1)
    assert (rounded != exact).any()


@pytest.mark.parametrize("quick", [True, False])
def test_the_processor_decides_which_of_them_is_taken(monkeypatch, quick):
    monkeypatch.setattr(expression, "multiplies_bytes", lambda: quick)
    assert ExpressionModel().name.endswith(", int8") == quick


@pytest.mark.parametrize(
    ("system", "machine", "flags", "quick"),
    [
        ("Linux", "x86_64", "flags : fpu avx2 avx512_vnni", True),
        ("Linux", "x86_64", "flags : fpu avx2", False),
        ("Linux", "aarch64", "Features : fp asimd asimddp", True),
        ("Darwin", "arm64", None, True),
        ("Darwin", "x86_64", None, False),
        ("Windows", "AMD64", None, False),
    ],
)
def test_only_what_a_processor_says_of_itself_is_believed(monkeypatch, system, machine, flags, quick):
    def read(path, encoding):
        if flags is None:
            raise FileNotFoundError(path)
        return flags

    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr("pathlib.Path.read_text", read)
    assert onnx.multiplies_bytes() == quick


@pytest.mark.parametrize(
    ("spoil", "readable"),
    [
        (lambda face: face, True),
        (lambda face: face // 3, True),
        (lambda face: face // 16, False),
        (lambda face: face * 0 + 200, False),
        (lambda face: blurred(face, 4), True),
        (lambda face: blurred(face, 20), False),
    ],
    ids=["as it is", "dim", "dark", "blank", "soft", "out of focus"],
)
def test_a_face_too_dark_or_too_blurred_is_missing(model, spoil, readable):
    image = spoil(pytest.importorskip("skimage.data").astronaut())
    probabilities, _ = model.predict(image, np.array([[178, 69, 264, 181]], np.float32))
    assert np.isfinite(probabilities).all() == readable


@pytest.mark.parametrize(("apart", "readable"), [(40, True), (5, False)], ids=["seen from the front", "a profile"])
def test_a_face_turned_away_is_missing_where_its_eyes_are_known(model, apart, readable):
    image = pytest.importorskip("skimage.data").astronaut()
    points = np.zeros((1, 5, 2), np.float32)
    points[0, 1, 0] = apart
    probabilities, _ = model.predict(image, np.array([[178, 69, 264, 181]], np.float32), points)
    assert np.isfinite(probabilities).all() == readable


def blurred(image, radius):
    return np.asarray(Pictures.fromarray(image).filter(ImageFilter.GaussianBlur(radius)))
