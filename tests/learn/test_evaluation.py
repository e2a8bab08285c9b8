"""The figures of a model, against numbers computed by hand."""

from __future__ import annotations

import dataclasses
import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import classification_report

from roomread.errors import DataError, ModelError
from roomread.learn.datasets import LabelledFaces
from roomread.learn.evaluation import (
    BLUR,
    FERPLUS,
    SIZE,
    WITHOUT,
    Evaluation,
    evaluate,
    ferplus_majority,
    judge,
)
from roomread.learn.evaluation_text import as_table, as_text
from roomread.learn.metrics import CALIBRATION_BINS
from roomread.types import EMOTIONS, N_EMOTIONS

NAN = float("nan")
REPORT_COLUMNS = ["precision", "recall", "f1-score", "support"]
# Ten faces: of four angry three are told, one is called happy; of four happy two are told, two are called sad; both sad
# are called happy; nobody shows the other four.
LABELS = np.array([0, 0, 0, 0, 3, 3, 3, 3, 4, 4])
ANSWERS = np.array([0, 0, 0, 3, 3, 3, 4, 4, 3, 3])


def surely(answers: np.ndarray, confidence: float = 1.0) -> np.ndarray:
    """Return probabilities that put so much on each answer and share the rest."""
    rest = (1 - confidence) / (N_EMOTIONS - 1)
    return np.where(np.eye(N_EMOTIONS)[answers] == 1, confidence, rest)


@pytest.fixture
def figures() -> Evaluation:
    return judge("ours", "PublicTest", surely(ANSWERS), LABELS)


def with_accuracy(right: int, n: int) -> Evaluation:
    return judge("ours", "PublicTest", surely(np.repeat([0, 1], [right, n - right])), np.zeros(n, np.int64))


def test_the_confusion_counts_true_class_by_answer(figures: Evaluation) -> None:
    expected = np.zeros((7, 7), int)
    expected[0, 0], expected[0, 3], expected[3, 3], expected[3, 4], expected[4, 3] = 3, 1, 2, 2, 2
    assert_array_equal(figures.confusion, expected)
    assert figures.n == 10


def test_accuracy_recall_precision_and_f1_are_as_by_hand(figures: Evaluation) -> None:
    assert figures.accuracy == 0.5
    assert_allclose(figures.recall, [3 / 4, NAN, NAN, 2 / 4, 0, NAN, NAN])
    assert_allclose(figures.precision, [1, NAN, NAN, 2 / 5, 0, NAN, NAN])
    assert_allclose(figures.f1, [6 / 7, NAN, NAN, 4 / 9, 0, NAN, NAN])


def test_means_over_classes_leave_out_a_class_without_faces(figures: Evaluation) -> None:
    told = figures.as_dict()
    assert told["balanced_accuracy"] == round((3 / 4 + 2 / 4 + 0) / 3, 5)
    assert told["macro_f1"] == round((6 / 7 + 4 / 9 + 0) / 3, 5)


def test_a_class_that_is_answered_but_never_there_has_a_precision_and_no_f1() -> None:
    figures = judge("ours", "PublicTest", surely(np.array([0, 1])), np.array([0, 0]))
    assert (figures.precision[1], figures.recall[0]) == (0.0, 0.5)
    assert np.isnan([figures.f1[1], figures.recall[1]]).all()


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [
        (0, 10, 0.0, 0.27753),
        (5, 10, 0.23659, 0.76341),
        (8, 10, 0.49016, 0.94332),
        (10, 10, 0.72247, 1.0),
        (1, 1, 0.20655, 1.0),
        (2400, 3589, 0.65315, 0.68393),
    ],
)
def test_the_interval_of_the_accuracy_is_wilsons(right: int, n: int, low: float, high: float) -> None:
    assert_allclose(with_accuracy(right, n).accuracy_interval, (low, high), rtol=0, atol=2e-5)


def test_the_interval_holds_the_accuracy_and_lies_between_0_and_1() -> None:
    for right in range(21):
        low, high = with_accuracy(right, 20).accuracy_interval
        assert -1e-12 <= low <= right / 20 + 1e-12
        assert right / 20 - 1e-12 <= high <= 1 + 1e-12


@pytest.mark.parametrize(
    ("confidences", "right", "expected"),
    [
        pytest.param([1.0, 1.0], [1, 1], 0.0, id="sure and right"),
        pytest.param([1.0, 1.0], [0, 0], 1.0, id="sure and wrong"),
        pytest.param([0.8, 0.8], [1, 0], 0.3, id="one bin"),
        pytest.param([0.8, 0.8, 0.8, 0.8, 0.8], [1, 1, 1, 1, 0], 0.0, id="as sure as right"),
        # bins 0.6 to 0.667 and 0.933 to 1: (|0.65 - 1| + |0.95 + 0.95 - 1|) / 3
        pytest.param([0.65, 0.95, 0.95], [1, 1, 0], (0.35 + 0.9) / 3, id="two bins"),
        # too sure and too unsure in the same bin cancel out, in different ones they do not
        pytest.param([0.5, 0.9], [1, 0], (0.5 + 0.9) / 2, id="no cancelling between bins"),
    ],
)
def test_the_calibration_error_is_the_mean_gap_over_bins(
    confidences: list[float], right: list[int], expected: float
) -> None:
    probabilities = np.concatenate([surely(np.array([2]), confidence) for confidence in confidences])
    labels = np.where(np.array(right) == 1, 2, 5)
    assert CALIBRATION_BINS == 15
    assert_allclose(judge("ours", "PublicTest", probabilities, labels).calibration_error, expected, atol=1e-12)


def test_a_split_without_a_face_is_refused() -> None:
    with pytest.raises(DataError, match="The split 'PublicTest' holds no face"):
        judge("ours", "PublicTest", np.empty((0, 7)), np.empty(0, np.int64))


def test_answers_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ModelError, match="ours answers with numbers that are none"):
        judge("ours", "PublicTest", np.full((1, 7), np.nan), np.zeros(1, np.int64))


def test_a_confusion_of_another_size_is_refused(figures: Evaluation) -> None:
    with pytest.raises(ValueError, match="confusion"):
        dataclasses.replace(figures, confusion=np.zeros((6, 6), np.int64))


def test_figures_as_plain_values_name_model_split_and_n(figures: Evaluation) -> None:
    told = json.loads(json.dumps(figures.as_dict(), allow_nan=False))
    assert (told["model"], told["split"], told["n"], told["accuracy"]) == ("ours", "PublicTest", 10, 0.5)
    assert (told["accuracy_low"], told["accuracy_high"]) == (0.23659, 0.76341)
    assert told["classes"] == list(EMOTIONS)
    assert told["recall"] == dict.fromkeys(EMOTIONS) | {"angry": 0.75, "happy": 0.5, "sad": 0.0}
    assert told["confusion"] == figures.confusion.tolist()


def test_figures_as_text_have_a_line_for_each_class(figures: Evaluation) -> None:
    lines = as_text(figures).splitlines()
    assert lines[0] == "ours on PublicTest, n = 10"
    assert lines[1].startswith("accuracy 0.5000 (95% interval 0.2366 to 0.7634)")
    assert max(map(len, lines)) <= 140
    head = next(place for place, line in enumerate(lines) if line.split() == REPORT_COLUMNS)
    rows = {line.split()[0]: line.split()[1:] for line in lines[head + 2 : head + 2 + N_EMOTIONS]}
    assert list(rows) == list(EMOTIONS)
    assert rows["angry"] == ["1.000", "0.750", "0.857", "4"]
    assert rows["disgust"] == ["–", "–", "–", "0"]
    assert [line.split() for line in lines[head + 10 : head + 13]] == [
        ["accuracy", "0.500", "10"],
        ["macro", "avg", "0.467", "0.417", "0.434", "10"],
        ["weighted", "avg", "0.560", "0.500", "0.521", "10"],
    ]


@pytest.mark.parametrize("classes", [3, 7])
def test_the_table_per_class_has_the_numbers_of_scikit_learns_report(classes: int) -> None:
    noise = np.random.default_rng(classes)
    labels, answers = noise.integers(0, classes, 90), noise.integers(0, classes, 90)
    theirs = classification_report(
        labels, answers, labels=range(classes), target_names=EMOTIONS[:classes], digits=3, zero_division=0
    )
    ours = as_text(judge("ours", "PublicTest", surely(answers), labels))
    found = {tuple(line.split()) for line in ours.splitlines()}
    assert all(tuple(line.split()) in found for line in theirs.splitlines() if line)


def test_the_confusion_is_told_as_faces_and_as_a_share_of_the_class(figures: Evaluation) -> None:
    told = [" ".join(line.split()) for line in as_text(figures).splitlines()]
    assert "angry 3 (75%) 0 (0%) 0 (0%) 1 (25%) 0 (0%) 0 (0%) 0 (0%)" in told
    assert "fear 0 (–) 0 (–) 0 (–) 0 (–) 0 (–) 0 (–) 0 (–)" in told
    assert_allclose(figures.rates[3], [0, 0, 0, 0.5, 0.5, 0, 0])


def test_the_original_projects_figures_have_names_that_say_what_they_are(figures: Evaluation) -> None:
    told = figures.as_dict()
    # of ten faces: angry 1 wrong, happy 1 + 2 + 2 wrong, sad 2 + 2 wrong
    assert told["one_vs_rest_accuracy_mean"] == round((9 + 10 + 10 + 5 + 6 + 10 + 10) / 70, 5)
    # always angry: the six faces that are not are wrong for it, and each for its own class
    assert told["one_vs_rest_accuracy_mean_of_one_constant_answer"] == round((4 + 10 + 10 + 6 + 8 + 10 + 10) / 70, 5)
    assert told["balanced_accuracy"] == round(1.25 / 3, 5)
    assert (told["macro_precision"], told["weighted_recall"]) == (round(1.4 / 3, 5), told["accuracy"])
    assert told["support"] == dict.fromkeys(EMOTIONS, 0) | {"angry": 4, "happy": 4, "sad": 2}


def test_a_perfect_model_has_1_everywhere() -> None:
    labels = np.arange(N_EMOTIONS)
    told = judge("ours", "PublicTest", surely(labels, 0.9), labels).as_dict()
    ones = ("accuracy", "balanced_accuracy", "macro_f1", "weighted_precision", "top_2_accuracy", "auc_mean")
    assert [told[name] for name in (*ones, "one_vs_rest_accuracy_mean")] == [1.0] * 7


def test_a_constant_model_has_the_areas_of_chance() -> None:
    labels = np.arange(N_EMOTIONS)
    told = judge("ours", "PublicTest", surely(np.full(N_EMOTIONS, 3), 0.4), labels).as_dict()
    assert told["auc"] == dict.fromkeys(EMOTIONS, 0.5)
    assert told["one_vs_rest_accuracy_mean"] == told["one_vs_rest_accuracy_mean_of_one_constant_answer"]


def test_one_face_has_no_roc_curve_and_a_wide_interval() -> None:
    told = judge("ours", "PublicTest", surely(np.array([2])), np.array([2])).as_dict()
    assert (told["n"], told["accuracy_low"], told["accuracy_high"]) == (1, 0.20655, 1.0)
    assert told["auc_mean"] is None and set(told["auc"].values()) == {None}


@pytest.mark.parametrize(("split", "n"), [("validation", 14), ("PublicTest", 7)])
def test_a_model_is_judged_on_the_split_named_and_no_other(labelled_faces: LabelledFaces, split: str, n: int) -> None:
    asked: list[np.ndarray] = []

    def predict_faces(images: np.ndarray) -> np.ndarray:
        asked.append(images)
        return surely(np.full(len(images), 3), 0.9)

    model: Any = SimpleNamespace(name="always happy", predict_faces=predict_faces)
    figures = evaluate(model, labelled_faces, split)
    assert (figures.model, figures.split, figures.n) == ("always happy", split, n)
    assert_allclose(figures.accuracy, 1 / 7)
    assert_array_equal(asked[0], labelled_faces.split(split).images)
    with pytest.raises(DataError):
        evaluate(model, labelled_faces, "of nobody")


class Seer:
    """A model that knows the bright square of the made-up faces, the better the sharper it is."""

    name = "seer"

    def predict_faces(self, faces: np.ndarray) -> np.ndarray:
        squares = faces[..., 0].reshape(-1, 3, 16, 3, 16).mean(axis=(2, 4)).reshape(-1, 9)[:, :N_EMOTIONS]
        probabilities: np.ndarray = (squares / squares.sum(axis=1, keepdims=True)).astype(np.float32)
        return probabilities


def test_figures_with_and_without_some_rows_are_of_the_same_answers(labelled_faces: LabelledFaces) -> None:
    chosen = labelled_faces.split("validation")
    unknown_row = 999_999
    figures = evaluate(Seer(), labelled_faces, "validation", drop=np.append(chosen.rows[:3], unknown_row))
    (without,) = figures.parts[WITHOUT]
    assert (figures.n, without.n, without.split, without.faces) == (
        14,
        11,
        "validation",
        "without the rows to drop (3)",
    )
    assert_array_equal(without.support, np.bincount(chosen.labels[3:], minlength=N_EMOTIONS))
    told = figures.as_dict()
    assert told["n"] == 14
    assert set(told["parts"][WITHOUT][0]) >= {"recall", "confusion", "auc", "n", "split"}
    with pytest.raises(DataError, match=r"No face: validation, without the rows to drop \(14\)"):
        evaluate(Seer(), labelled_faces, "validation", drop=chosen.rows)


def test_faces_are_judged_again_at_each_size_and_blur(labelled_faces: LabelledFaces) -> None:
    figures = evaluate(Seer(), labelled_faces, "PublicTest", sizes=(1, 24), blurs=(0.5,))
    assert [(part.amount, part.n, part.faces) for part in figures.parts[SIZE]] == [
        (1, 7, "shrunk to 1 px"), (24, 7, "shrunk to 24 px")
    ]  # fmt: skip
    assert [part.accuracy for part in (figures, *figures.parts[SIZE], *figures.parts[BLUR])] == [1, 1 / 7, 1, 1]
    assert figures.as_dict()["parts"][BLUR][0]["faces"] == "blurred by 0.5 px"


def test_agreement_with_ferplus_is_on_faces_with_more_than_half_of_all_votes() -> None:
    votes = np.zeros((5, 10), np.float32)
    votes[0, [3, 6]] = 6, 4
    votes[1, [3, 6]] = 5, 5  # half is not more than half
    votes[2, [4, 7]] = 4, 6  # contempt is none of ours
    votes[3, [0, 9]] = 3, 2
    votes[4] = NAN
    known, voted = ferplus_majority(votes)
    assert known.tolist() == [True, False, False, True, False]
    assert voted[known].tolist() == [3, 0]


def test_the_agreement_with_ferplus_is_told_with_its_n(labelled_faces: LabelledFaces) -> None:
    votes = np.zeros((56, 10), np.float32)
    votes[:, 3] = 10
    voted = dataclasses.replace(labelled_faces, votes=votes)
    (agreement,) = evaluate(Seer(), voted, "validation").parts[FERPLUS]
    assert (agreement.n, agreement.split, round(agreement.accuracy, 5)) == (14, "validation", round(1 / 7, 5))
    assert "labels by FER+'s majority" in as_text(evaluate(Seer(), voted, "validation"))
    unknown = dataclasses.replace(labelled_faces, votes=np.full((56, 10), np.nan, np.float32))
    assert FERPLUS not in evaluate(Seer(), unknown, "validation").parts


def test_several_models_stand_in_one_table_with_split_and_n(labelled_faces: LabelledFaces) -> None:
    better = evaluate(Seer(), labelled_faces, "PublicTest", sizes=(16,))
    worse = judge("a longer name", "PublicTest", surely(np.full(7, 3)), labelled_faces.split("PublicTest").labels)
    lines = as_table([better, worse]).splitlines()
    assert lines[0] == "2 models on PublicTest, all faces"
    assert [line.split()[:3] for line in lines[2:4]] == [["seer", "7", "1.000"], ["a", "longer", "name"]]
    assert "shrunk to 16 px" in lines
