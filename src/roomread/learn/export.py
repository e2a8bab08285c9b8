"""A trained network to the files that ship: true confidence, Keras's two, ONNX, and the card."""

from __future__ import annotations

import contextlib
import logging
import warnings
from pathlib import Path

import keras
import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from roomread.errors import ModelError
from roomread.learn.datasets import TRAINING_WITHOUT_VALIDATION, LabelledFaces
from roomread.learn.readers import is_fer2013
from roomread.learn.settings import TrainSettings
from roomread.modelcard import ModelCard, sha256_of, write_card
from roomread.output import write_whole
from roomread.types import EMOTIONS, N_EMOTIONS, Array

PARITY = 1e-4  # largest difference of a probability between Keras and ONNX Runtime, both in float32
SHARPEST, FLATTEST = 0.2, 5.0  # temperatures; a network beyond them has other troubles

FER2013_TERMS = (
    "FER-2013 (Goodfellow et al. 2013), split Training less validation; its pictures come from the web and carry no "
    "clear licence from the makers."
)
OTHER_TERMS = "A data set other than FER-2013, split Training less validation: {n:,} faces, under their makers' terms."
ALONE = " No other picture and no pretrained weight."
TAUGHT = " No other picture; the answers of other models, the recipe's teachers, were learned from as well."
VOTES_TERMS = " FER+ votes of the same rows (Barsoum et al. 2016, MIT)."  # when a share of the target was theirs
NOT_FOR = (
    "Grading, discipline, hiring, or any decision about a person; inferring emotions in schools, universities and "
    "workplaces inside the European Union, where it is prohibited save for medical or safety reasons. Expressions are "
    "no read-out of feelings. Errors by age, sex and skin colour: not measured, the data has no such labels."
)


def find_temperature(probabilities: Array, labels: Array) -> float:
    """Return by what the scores before the softmax are to be divided so that labels are likeliest (Guo et al. 2017).

    Above 1 the network was too sure. The order of the classes stays, so accuracy does.

    Args:
        probabilities: float (n, 7), of faces that were not fitted on, rows sum to 1.
        labels: int64 (n,), index into EMOTIONS.

    Returns:
        SHARPEST to FLATTEST.
    """
    scores = np.log(np.maximum(probabilities.astype(np.float64), 1e-12))

    def surprise(inverse: float) -> float:
        scaled = scores * inverse
        return float((logsumexp(scaled, axis=1) - scaled[np.arange(len(labels)), labels]).mean())

    # It is convex in the inverse, so there is one minimum.
    found = minimize_scalar(surprise, bounds=(1 / FLATTEST, 1 / SHARPEST), options={"xatol": 1e-7})
    return float(1 / found.x)


def divide_scores(network: keras.Model, temperature: float) -> None:
    """Divide the scores before a network's softmax, in its last dense layer, so that its files need nothing more."""
    dense = next(layer for layer in reversed(network.layers) if isinstance(layer, keras.layers.Dense))
    dense.set_weights([weights / temperature for weights in dense.get_weights()])


def save_keras(network: keras.Model, *paths: Path) -> None:
    """Write a network whole, as .keras or as .h5 by each path's ending.

    Raises:
        OutputError: a file cannot be written; none is changed then.
    """
    warnings = logging.getLogger("absl")
    level = warnings.level
    warnings.setLevel(logging.ERROR)  # Keras calls .h5 legacy on every save; whoever asks for it knows
    try:
        write_whole(dict.fromkeys(paths, network.save))
    finally:
        warnings.setLevel(level)


def export_onnx(network: keras.Model, path: Path, sample: Array) -> float:
    """Write a network as ONNX with a free batch size, and return how far ONNX Runtime is from Keras on a sample.

    Args:
        network: float32 (n, 48, 48, 1), 0 to 255 → float32 (n, 7).
        path: of the ONNX file.
        sample: uint8 (n, 48, 48, 1), faces to compare on.

    Returns:
        The largest difference of a probability.

    Raises:
        ModelError: the two differ by more than PARITY, or Keras runs on JAX, which writes no ONNX; no file is left.
        OutputError: the file cannot be written.
    """
    import onnxruntime

    if keras.backend.backend() == "jax":
        raise ModelError(
            f"{path} cannot be written by Keras on JAX. Expected: TensorFlow or PyTorch. A run that has ended is not "
            "trained again: start it once more, in the same folder, with KERAS_BACKEND=tensorflow in the environment."
        )
    faces = sample.astype(np.float32)
    expected = network.predict(faces, verbose=0)
    differences: list[float] = []

    def write(new: Path) -> None:
        with contextlib.redirect_stdout(None), warnings.catch_warnings():  # the exporter talks of its own insides
            warnings.simplefilter("ignore")
            network.export(new, format="onnx", verbose=False)
        session = onnxruntime.InferenceSession(new, providers=["CPUExecutionProvider"])
        received = session.run(None, {session.get_inputs()[0].name: faces})[0]
        differences.append(float(np.abs(received - expected).max()))
        if not differences[0] <= PARITY:
            raise ModelError(
                f"The exported network does not answer as the trained one. Expected: probabilities within {PARITY}. "
                f"Received: a difference of {differences[0]:.2g}."
            )

    write_whole({path: write})
    return differences[0]


def data_of(settings: TrainSettings, faces: LabelledFaces) -> str:
    """Return what a run was fitted on, with that data's own terms."""
    fitted = faces.split(TRAINING_WITHOUT_VALIDATION)
    voted = settings.ferplus_share > 0 and bool(np.nansum(fitted.votes[:, :N_EMOTIONS]) > 0)
    return (
        (FER2013_TERMS if is_fer2013(faces) else OTHER_TERMS.format(n=len(fitted)))
        + (TAUGHT if settings.teachers else ALONE)
        + (VOTES_TERMS if voted else "")
    )


def make_card(
    path: Path,
    network: keras.Model,
    data: str,
    recipe: dict[str, object],
    figures: tuple[dict[str, object], ...] = (),
) -> None:
    """Write the card of an exported expression model beside it."""
    card = ModelCard(
        name=f"roomread {path.stem} ({network.name}, {network.count_params():,} parameters)",
        task="expression",
        sha256=sha256_of(path),
        licence="MIT",
        origin="trained by roomread: `roomread train RUN.toml --data PATH --out DIR` with the recipe below",
        input="float32 (n, 48, 48, 1), gray (ITU-R 601), 0 to 255, as preprocess.crop_faces cuts it; rescaling inside",
        output="float32 (n, 7), probabilities in the order of the classes",
        classes=EMOTIONS,
        data=data,
        figures=figures,
        recipe=recipe,
        not_for=NOT_FOR,
    )
    write_card(card, path)
