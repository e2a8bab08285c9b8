"""Fitting a network, and going on where a run stopped."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from roomread.errors import DataError, OutputError, SettingsError
from roomread.learn.augment import Augment, AugmentSettings
from roomread.learn.batches import Batches, Pictures, balanced_weights, make_targets
from roomread.learn.datasets import LabelledFaces, validation_rows
from roomread.learn.model import MODELS, FusedBatchNormalization, fuse
from roomread.learn.schedule import AVERAGED_STEPS, Epoch, best_epoch, follow, is_over, rate_at
from roomread.learn.train import Trained, TrainSettings, Watcher, train
from roomread.modelcard import PUBLISHED
from roomread.types import Array

pytestmark = pytest.mark.learn

SETTINGS = TrainSettings(name="try", model="tiny", epochs=2, batch_size=8, learning_rate=0.05, warmup_epochs=0.5)


class Lines(Watcher):
    """Keeps the lines of a run; without a list to keep them in, no line may come."""

    def __init__(self, lines: list[str] | None = None) -> None:
        self.lines = lines

    def say(self, line: str) -> None:
        assert self.lines is not None, line
        self.lines.append(line)


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """What the run of `whole` reported."""
    return []


@pytest.fixture(scope="module")
def whole(
    labelled_faces: LabelledFaces, tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> tuple[Trained, Path]:
    """A run of two epochs without a stop, and its folder."""
    out = tmp_path_factory.mktemp("whole")
    return train(SETTINGS, labelled_faces, out, Lines(lines)), out


def test_a_finished_run_is_read_and_not_repeated(
    labelled_faces: LabelledFaces, whole: tuple[Trained, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keras.Model, "train_on_batch", None)
    again = train(SETTINGS, labelled_faces, whole[1], Lines())
    assert again.history == whole[0].history
    for one, other in zip(again.network.get_weights(), whole[0].network.get_weights(), strict=True):
        assert_array_equal(one, other)


def test_a_finished_run_gives_its_best_epoch_when_that_is_asked_for_later(
    labelled_faces: LabelledFaces, whole: tuple[Trained, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keras.Model, "train_on_batch", None)
    best = train(dataclasses.replace(SETTINGS, keep="best", temperature=True), labelled_faces, whole[1], Lines())
    with np.load(whole[1] / "best.npz") as saved:
        for number, weights in enumerate(best.network.get_weights()):
            assert_array_equal(weights, saved[str(number)])


def test_a_run_changes_the_weights_and_keeps_its_history(whole: tuple[Trained, Path]) -> None:
    trained, out = whole
    keras.utils.set_random_seed(SETTINGS.seed)
    fresh = MODELS["tiny"]()
    assert not np.allclose(fresh.layers[-2].get_weights()[0], trained.network.layers[-2].get_weights()[0])
    with (out / "history.csv").open(encoding="utf-8", newline="") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    assert rows == trained.history
    assert sorted(path.name for path in out.iterdir()) == ["best.npz", "history.csv", "last.npz"]


def test_what_is_trained_holds_no_augmentation_and_is_float32(whole: tuple[Trained, Path]) -> None:
    network = whole[0].network
    assert not any(isinstance(layer, Augment) for layer in network.layers)
    assert {weight.dtype for weight in network.get_weights()} == {np.dtype(np.float32)}
    assert network.input_shape == (None, 48, 48, 1)


def test_the_report_has_a_line_for_each_epoch_that_names_the_split_and_its_size(
    whole: tuple[Trained, Path], lines: list[str]
) -> None:
    assert [line[:11] for line in lines] == ["epoch   1/2", "epoch   2/2"]
    for line, epoch in zip(lines, whole[0].history, strict=True):
        assert (
            f"validation: loss {epoch['validation_loss']:.4f}, accuracy {epoch['validation_accuracy']:.4f} of 14"
            in line
        )


@pytest.mark.parametrize(
    "change",
    [{"seed": 1}, {"epochs": 3}, {"learning_rate": 0.1}, {"augment": AugmentSettings(zoom=0.2)}],
    ids=["seed", "epochs", "rate", "augmentation"],
)
def test_a_folder_with_a_run_of_other_settings_is_refused(
    labelled_faces: LabelledFaces, whole: tuple[Trained, Path], change: dict[str, Any]
) -> None:
    with pytest.raises(OutputError, match=r"holds a run with other settings\. .*Choose another --out"):
        train(dataclasses.replace(SETTINGS, **change), labelled_faces, whole[1], Lines())


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda data: b"", id="empty"),
        pytest.param(lambda data: b"no state", id="text"),
        pytest.param(lambda data: data[: len(data) // 2], id="cut off"),
        pytest.param(lambda data: data[:2000] + bytes(500) + data[2500:], id="damaged within"),
    ],
)
def test_a_damaged_state_is_refused(
    labelled_faces: LabelledFaces, whole: tuple[Trained, Path], tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    (tmp_path / "last.npz").write_bytes(spoil((whole[1] / "last.npz").read_bytes()))
    with pytest.raises(OutputError, match=r"last\.npz cannot be read"):
        train(SETTINGS, labelled_faces, tmp_path, Lines())


def test_the_state_of_another_network_is_refused(
    labelled_faces: LabelledFaces, whole: tuple[Trained, Path], tmp_path: Path
) -> None:
    """As after an update of roomread that changed the network."""
    with np.load(whole[1] / "last.npz") as saved:
        values = {name: saved[name] for name in saved.files if name != "0"}
    np.savez(tmp_path / "last.npz", **{str(int(name) - 1) if name.isdigit() else name: values[name] for name in values})
    with pytest.raises(OutputError, match=r"last\.npz"):
        train(SETTINGS, labelled_faces, tmp_path, Lines())


def test_a_file_in_place_of_the_folder_is_refused(labelled_faces: LabelledFaces, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="taken cannot be made"):
        train(SETTINGS, labelled_faces, tmp_path / "taken", Lines())


@pytest.mark.parametrize("split", ["PublicTest", "training", "validation"])
def test_data_without_training_or_validation_is_refused(
    labelled_faces: LabelledFaces, tmp_path: Path, split: str
) -> None:
    with pytest.raises(DataError, match="holds no face of the split"):
        train(SETTINGS, labelled_faces.split(split), tmp_path, Lines())


def test_no_face_of_validation_or_test_is_fitted_on(
    labelled_faces: LabelledFaces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked = dataclasses.replace(labelled_faces, images=labelled_faces.images.copy())
    marked.images[:, 0, 0, 0] = np.arange(len(marked))  # a number that tells each face from the others
    shown: list[Array] = []
    picked: list[Array] = []
    look, pick = Pictures.__init__, Batches.__getitem__

    def spy_pictures(self: Pictures, images: Array) -> None:
        shown.append(images)
        look(self, images)

    def spy_batches(self: Batches, number: int) -> Any:
        batch = pick(self, number)
        picked.append(batch[0]["row"])
        return batch

    monkeypatch.setattr(Pictures, "__init__", spy_pictures)
    monkeypatch.setattr(Batches, "__getitem__", spy_batches)
    train(dataclasses.replace(SETTINGS, batch_size=7, epochs=1), marked, tmp_path)
    used = set(shown[0][np.concatenate(picked), 0, 0, 0].tolist())
    assert used == set(range(28))
    assert not set(marked.rows[list(used)]) & set(validation_rows())
    assert set(marked.usages[list(used)]) == {"Training"}


@pytest.mark.parametrize(("n", "batch_size", "batches"), [(20, 8, 2), (20, 5, 4), (3, 8, 1)])
def test_an_epoch_shows_each_face_at_most_once(n: int, batch_size: int, batches: int) -> None:
    epoch = Batches(np.eye(7, dtype=np.float32)[np.arange(n) % 7], batch_size, (0, 0))
    shown = [epoch[number] for number in range(len(epoch))]
    assert len(shown) == batches
    rows = np.concatenate([picks["row"] for picks, _ in shown])
    assert len(set(rows)) == len(rows) == batches * min(batch_size, n)
    assert_array_equal(np.concatenate([targets for _, targets in shown]).argmax(axis=1), rows % 7)


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    targets = np.ones((50, 7), np.float32)
    order = Batches(targets, 8, (3, 1)).order
    assert_array_equal(Batches(targets, 8, (3, 1)).order, order)
    for other in ((3, 2), (4, 1), (1, 3)):
        assert (Batches(targets, 8, other).order != order).any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "huge"}, "no model 'huge'. Expected one of: compact, large, tiny, baseline"),
        ({"precision": "float16"}, "precision must be float32 or mixed_bfloat16"),
        ({"ferplus_share": 0.5}, "ferplus_share must lie in 0 to 0.5"),
        ({"ferplus_share": -0.1}, "ferplus_share"),
        ({"epochs": 0}, "epochs must be above 0"),
        ({"cycles": 0}, "cycles must be above 0"),
        ({"seed": -1}, "seed and all that follow must lie in 0"),
        ({"seed": 2**31 - 2, "seeds": 3}, "seed and all that follow must lie in 0"),
        ({"batch_size": -1}, "batch_size must be above 0"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be above 0"),
        ({"momentum": 1.5}, "momentum"),
        ({"weight_decay": -0.1}, "weight_decay"),
        ({"warmup_epochs": -1.0}, "warmup_epochs"),
        ({"limit": 0}, "limit"),
        ({"limit": -5}, "limit"),
        ({"optimizer": "lion"}, "optimizer must be sgd or adam"),
        ({"schedule": "steps"}, "schedule must be cosine or constant or plateau"),
        ({"monitor": "loss"}, "monitor must be validation_accuracy or validation_loss"),
        ({"keep": "first"}, "keep must be last or best"),
        ({"class_weights": "all"}, "class_weights must be none or balanced"),
        ({"ema_decay": 1.0}, "ema_decay must lie between 0 and 1"),
        ({"label_smoothing": -0.1}, "label_smoothing"),
        ({"teacher_share": 0.5}, "belong together"),
        ({"teachers": (PUBLISHED,)}, "belong together"),
        ({"mixup": -0.2}, "mixup must not be negative"),
        ({"stop_patience": -1}, "stop_patience"),
        ({"plateau_patience": 0}, "plateau_patience must be above 0"),
        ({"plateau_factor": 1.0}, "plateau_factor must lie between 0 and 1"),
        ({"weights_name": "../there"}, "weights_name must be the name of a file"),
        ({"name": ""}, "name must be the name of a file"),
    ],
    ids=lambda value: "-".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else None,
)
def test_a_setting_outside_its_range_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrainSettings(**change)


def test_half_precision_leaves_no_trace_outside_its_network(labelled_faces: LabelledFaces, tmp_path: Path) -> None:
    settings = dataclasses.replace(SETTINGS, precision="mixed_bfloat16", epochs=1, limit=10)
    lines: list[str] = []
    trained = train(settings, labelled_faces, tmp_path, Lines(lines))
    assert keras.config.dtype_policy().name == "float32"
    assert {layer.compute_dtype for layer in trained.network.layers} == {"float32"}
    assert np.isfinite(trained.history[0]["loss"])
    assert " of 10 " in lines[0]  # the limit


EVERYTHING = TrainSettings(
    name="all", model="tiny", epochs=2, batch_size=7, optimizer="adam", learning_rate=0.01, schedule="plateau",
    warmup_epochs=0.5, plateau_patience=1, ema_decay=0.9, label_smoothing=0.1, mixup=0.2, class_weights="balanced",
    stop_patience=5, keep="best", tensorboard=True,
)  # fmt: skip


KILLED = """
import json, os, pickle, signal, sys
from pathlib import Path
import keras, tensorflow as tf
from roomread.learn.train import Watcher, train
folder = Path(sys.argv[1])
settings, faces = pickle.loads((folder / "run.pickle").read_bytes())
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
tf.config.experimental.enable_op_determinism()

class Killer(Watcher):
    def progress(self, epoch, share):
        if epoch == 2 and share > 0.4:
            os.kill(os.getpid(), signal.SIGKILL)

child = os.fork()
if not child:
    train(settings, faces, folder / "killed", Killer())
    os._exit(0)
_, status = os.waitpid(child, 0)
before = (folder / "killed" / "history.csv").read_text().count("\\n") - 1
resumed = train(settings, faces, folder / "killed")
whole = train(settings, faces, folder / "whole")
pairs = list(zip(resumed.network.get_weights(), whole.network.get_weights(), strict=True))
same = all(one.tobytes() == other.tobytes() for one, other in pairs)
strip = lambda history: [{k: v for k, v in epoch.items() if k != "seconds"} for epoch in history]
print(json.dumps([os.WTERMSIG(status), before, same, strip(resumed.history) == strip(whole.history)]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")
def test_a_run_killed_within_an_epoch_resumes_bit_equal_on_one_thread(
    labelled_faces: LabelledFaces, teacher: Callable[..., Path], tmp_path: Path
) -> None:
    settings = dataclasses.replace(EVERYTHING, teachers=(teacher(),), teacher_share=0.3)
    (tmp_path / "run.pickle").write_bytes(pickle.dumps((settings, labelled_faces)))
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == [9, 1, True, True]
    assert {path.name for path in (tmp_path / "killed").iterdir()} == {
        "best.npz", "history.csv", "last.npz", "tensorboard"
    }  # fmt: skip
    assert list((tmp_path / "killed" / "tensorboard").iterdir())


def test_a_run_on_other_faces_is_refused_and_dropped_rows_are_not_fitted_on(
    labelled_faces: LabelledFaces, whole: tuple[Trained, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = labelled_faces.rows[:5]
    with pytest.raises(OutputError, match="holds a run on other faces"):
        train(SETTINGS, labelled_faces, whole[1], Lines(), drop=drop)
    sizes: list[int] = []
    own = Batches.__init__

    def spy(self: Batches, targets: Any, *rest: Any) -> None:
        sizes.append(len(targets))
        own(self, targets, *rest)
        raise KeyboardInterrupt

    monkeypatch.setattr(Batches, "__init__", spy)
    with pytest.raises(KeyboardInterrupt):
        train(SETTINGS, labelled_faces, tmp_path, drop=drop)
    assert sizes == [23]
    with pytest.raises(DataError, match="no face to fit on"):
        train(SETTINGS, labelled_faces, tmp_path, drop=labelled_faces.rows)


@pytest.mark.parametrize("part", ["labels", "votes"])
def test_a_run_with_other_labels_or_votes_is_refused(
    labelled_faces: LabelledFaces, whole: tuple[Trained, Path], part: str
) -> None:
    other = dataclasses.replace(labelled_faces, **{part: getattr(labelled_faces, part)[::-1].copy()})
    with pytest.raises(OutputError, match="holds a run with other labels or votes"):
        train(SETTINGS, other, whole[1], Lines())


@pytest.mark.parametrize(("seed", "resumed"), [(0, True), (3, False)])
def test_a_state_of_an_earlier_version_is_gone_on_with(
    labelled_faces: LabelledFaces, whole: tuple[Trained, Path], tmp_path: Path, seed: int, resumed: bool
) -> None:
    """It says nothing of targets, and augmentation had a seed of its own, which was added to the run's."""
    shutil.copytree(whole[1], tmp_path / "run")
    with np.load(tmp_path / "run" / "last.npz") as saved:
        values = {name: saved[name] for name in saved.files}
    about = json.loads(str(values["about"]))
    about["settings"]["augment"]["seed"] = seed
    del about["targets"]
    np.savez(tmp_path / "run" / "last.npz", **(values | {"about": np.array(json.dumps(about))}))
    if resumed:
        assert train(SETTINGS, labelled_faces, tmp_path / "run", Lines()).history == whole[0].history
    else:
        with pytest.raises(OutputError, match="holds a run with other settings"):
            train(SETTINGS, labelled_faces, tmp_path / "run", Lines())


def rows(*accuracies: float) -> list[dict[str, float]]:
    return [{"validation_accuracy": accuracy, "validation_loss": 1 - accuracy} for accuracy in accuracies]


@pytest.mark.parametrize(
    ("accuracies", "best", "over"),
    [((), 0, False), ((0.2,), 1, False), ((0.2, 0.4, 0.3), 2, False), ((0.2, 0.4, 0.4, 0.3), 2, True)],
)
@pytest.mark.parametrize("monitor", ["validation_accuracy", "validation_loss"])
def test_a_run_stops_when_nothing_has_got_better(
    accuracies: tuple[float, ...], best: int, over: bool, monitor: str
) -> None:
    settings = TrainSettings(epochs=9, stop_patience=2, monitor=monitor)
    assert best_epoch(settings, rows(*accuracies)) == best
    assert is_over(settings, rows(*accuracies)) == over
    assert not is_over(dataclasses.replace(settings, stop_patience=0), rows(*accuracies))
    assert is_over(dataclasses.replace(settings, epochs=max(1, len(accuracies))), rows(*accuracies)) == bool(accuracies)


def test_a_loss_that_ran_away_is_the_worst() -> None:
    assert best_epoch(TrainSettings(monitor="validation_loss"), rows(0.2, float("nan"), 0.1)) == 1


def test_the_rate_rises_in_the_warm_up_and_falls_on_a_plateau() -> None:
    settings = TrainSettings(
        learning_rate=0.1, warmup_epochs=1, schedule="plateau", plateau_patience=2, plateau_factor=0.5
    )
    assert_allclose([rate_at(settings, 4, step, []) for step in (0, 1, 3, 4, 99)], [0.025, 0.05, 0.1, 0.1, 0.1])
    history = rows(0.2, 0.3, 0.3, 0.1, 0.2, 0.2, 0.4)
    falls = [rate_at(settings, 4, 99, history[:n]) for n in range(8)]
    assert_allclose(falls, [0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.025, 0.025])
    constant = dataclasses.replace(settings, schedule="constant", warmup_epochs=0.0)
    assert {rate_at(constant, 4, step, history) for step in range(9)} == {0.1}
    cosine = dataclasses.replace(settings, schedule="cosine", epochs=3)
    rates = [rate_at(cosine, 4, step, []) for step in (0, 3, 4, 6, 8, 10)]
    assert_allclose(rates, [0.025, 0.1, 0.1, 0.05 + 0.05 * 0.5**0.5, 0.05, 0.05 - 0.05 * 0.5**0.5])
    twice = dataclasses.replace(cosine, epochs=6, cycles=2)
    assert_allclose([rate_at(twice, 4, step, []) for step in (0, 3, 4, 6, 8, 10)], rates)
    assert_allclose(
        [rate_at(twice, 4, step, []) for step in (12, 15, 18, 21)],
        [0.05, 0.025 + 0.025 * 0.5**0.5, 0.025, 0.025 - 0.025 * 0.5**0.5],
    )


def test_targets_and_weights_follow_the_settings(labelled_faces: LabelledFaces) -> None:
    plain = make_targets(TrainSettings(ferplus_share=0.0), labelled_faces)
    smooth = make_targets(TrainSettings(ferplus_share=0.0, label_smoothing=0.07), labelled_faces)
    assert_allclose(smooth, 0.93 * plain + 0.01, atol=1e-6)
    weights = balanced_weights(np.array([0, 0, 0, 3]))
    assert_allclose(weights, [4 / 6, 0, 0, 2, 0, 0, 0])
    batch = Batches(plain[:4], 4, (0, 0), np.arange(7, dtype=np.float32))[0]
    assert_allclose(batch[2], batch[1].argmax(axis=1))


def test_mixup_lays_faces_and_targets_over_each_other_alike(labelled_faces: LabelledFaces) -> None:
    targets = make_targets(TrainSettings(), labelled_faces)
    picks, mixed = Batches(targets, 16, (0, 1), mixup=0.4)[1]
    again, same = Batches(targets, 16, (0, 1), mixup=0.4)[1]
    assert_array_equal(mixed, same)
    assert all((picks[name] == again[name]).all() for name in picks)
    assert_allclose(mixed.sum(axis=1), 1, rtol=1e-5)
    assert 0 < picks["share"].min() < 0.5 < picks["share"].max() <= 1
    share = picks["share"][:, None]
    assert_allclose(mixed, share * targets[picks["row"]] + (1 - share) * targets[picks["other"]], rtol=1e-5)
    faces = keras.ops.convert_to_numpy(Pictures(labelled_faces.images)(picks))
    share = share[..., None, None]
    images = labelled_faces.images.astype(np.float32)
    assert_allclose(faces, share * images[picks["row"]] + (1 - share) * images[picks["other"]], rtol=1e-4)


def test_a_face_is_shown_as_it_is_without_mixup(labelled_faces: LabelledFaces) -> None:
    picks, _ = Batches(make_targets(TrainSettings(), labelled_faces), 16, (0, 1))[0]
    assert_array_equal(Pictures(labelled_faces.images)(picks), labelled_faces.images[picks["row"]])


def test_the_average_follows_the_weights_and_forgets_the_first_ones() -> None:
    network, averaged = MODELS["tiny"](), MODELS["tiny"]()
    averaged.set_weights([np.full_like(values, 8.0) for values in averaged.get_weights()])
    for weight in network.weights:
        weight.assign(keras.ops.zeros_like(weight))
    for step in range(AVERAGED_STEPS - 1):
        follow(averaged, network, 0.9, step)
        assert_allclose(averaged.get_weights()[0], 8)
    follow(averaged, network, 0.9, 7)
    assert_allclose(averaged.get_weights()[0], 8 * (8 / 17) ** 8, rtol=1e-5)  # (1 + 7) / (10 + 7)
    follow(averaged, network, 0.3, 15)
    assert_allclose(averaged.get_weights()[-1], 8 * (8 / 17) ** 8 * 0.3**8, rtol=1e-5)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="its kernel")
def test_the_fused_network_answers_and_learns_as_the_plain_one() -> None:
    keras.utils.set_random_seed(0)
    plain = MODELS["tiny"]()
    fused = fuse(plain)
    faces = np.random.default_rng(0).uniform(0, 255, (16, 48, 48, 1)).astype(np.float32)
    assert any(isinstance(layer, FusedBatchNormalization) for layer in fused.layers)
    for training in (True, False):  # training moves the averages that the second answer takes
        assert_allclose(fused(faces, training=training), plain(faces, training=training), atol=1e-6)
    assert_allclose(np.concatenate([w.ravel() for w in fused.get_weights()]),
                    np.concatenate([w.ravel() for w in plain.get_weights()]), atol=1e-6)  # fmt: skip
    assert (plain.layers[3].moving_mean.numpy() != 0).all()


class Told(Watcher):
    """Keeps what it is told of batches and epochs."""

    def __init__(self) -> None:
        self.shares: list[tuple[int, float]] = []
        self.answers: list[Array] = []

    def progress(self, epoch: int, share: float) -> None:
        self.shares.append((epoch, share))

    def judged(self, epoch: Epoch, network: keras.Model) -> None:
        assert epoch["epoch"] == len(self.answers) + 1
        self.answers.append(network.predict(np.zeros((1, 48, 48, 1), np.float32), verbose=0))


@pytest.mark.parametrize("ema_decay", [0, 0.9])
def test_a_watcher_sees_each_share_of_an_epoch_and_the_network_that_is_judged(
    labelled_faces: LabelledFaces, tmp_path: Path, ema_decay: float
) -> None:
    told = Told()
    settings = dataclasses.replace(SETTINGS, epochs=1, augmentation=False, ema_decay=ema_decay)
    trained = train(settings, labelled_faces, tmp_path, told)
    assert told.shares == [(1, 1 / 3), (1, 2 / 3), (1, 1.0)]
    kept = trained.network.predict(np.zeros((1, 48, 48, 1), np.float32), verbose=0)
    assert_allclose(told.answers[0], kept, atol=1e-6)
    assert 0 <= trained.history[0]["accuracy"] <= 1
    assert trained.history[0]["penalty"] == 0
    assert trained.best == 1


@pytest.mark.parametrize("devices", [0, 2])
def test_tensorflow_trains_on_one_device_and_says_who_takes_more(
    labelled_faces: LabelledFaces, tmp_path: Path, devices: int
) -> None:
    with pytest.raises(SettingsError, match=r"JAX alone. Expected: one device. Received: \d, on tensorflow"):
        train(SETTINGS, labelled_faces, tmp_path / "run", devices=devices)
    assert not (tmp_path / "run").exists()


class Evil:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[[Path], object], tuple[Path]]:
        return Path.touch, (self.mark,)


def test_a_state_that_holds_a_pickle_is_refused_and_not_unpickled(
    labelled_faces: LabelledFaces, tmp_path: Path
) -> None:
    run, mark = tmp_path / "run", tmp_path / "unpickled"
    train(SETTINGS, labelled_faces, run)
    with np.load(run / "last.npz") as saved:
        values = {name: saved[name] for name in saved.files}
    np.savez(run / "last.npz", **(values | {"0": np.array([Evil(mark)], dtype=object)}))
    with pytest.raises(OutputError, match=r"last\.npz cannot be read"):
        train(SETTINGS, labelled_faces, run)
    assert not mark.exists()
