"""How soon our network reaches an accuracy, against the original project's, and what the input path costs.

    python benchmarks/training.py --data PARQUET --out DIR [--split PublicTest] [--target 0.6] [--turns 20] [--json]

Both are trained in DIR as `roomread train runs/quick.toml` and `roomread train runs/baseline-script.toml` do, or gone
on with where an earlier call stopped; after each epoch the split is read, and nothing is chosen by it. Seconds are not
taken from those runs, which other work may have disturbed: here all sides train at once, each in a process, but only
one at a time goes on, for as many faces as the others, again and again. What is compared is the median over the turns
of the ratio within a turn. Sides are both networks, and ours with all augmentation of the published run and with none.
The seconds are those of fitting; judging `validation` after each epoch comes on top, on either side. Memory is the peak
of a process that trains ours on all faces, less what one takes that has only imported everything and read the faces.
"""

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import keras
import numpy as np

from roomread.config import read_settings
from roomread.learn.datasets import TRAINING_WITHOUT_VALIDATION, LabelledFaces
from roomread.learn.readers import read_faces
from roomread.learn.schedule import Epoch
from roomread.learn.train import Log, TrainSettings, train

RUNS = Path(__file__).resolve().parents[1] / "runs"
OURS, ORIGINAL, PUBLISHED = "quick", "baseline-script", "published"
FACES = 1024  # of a turn
READINGS = "readings.json"  # in a run's folder: epoch → accuracy on the split


class Reader(Log):
    """Reads a split after each epoch and keeps what it says beside the run."""

    def __init__(self, faces: LabelledFaces, split: str, folder: Path) -> None:
        self.chosen, self.split, self.path = faces.split(split), split, folder / READINGS
        self.readings: dict[str, float] = json.loads(self.path.read_text()) if self.path.exists() else {}

    def judged(self, epoch: Epoch, network: keras.Model) -> None:
        """Read it."""
        answers = network.predict(self.chosen.images.astype(np.float32), batch_size=256, verbose=0)
        accuracy = float((answers.argmax(axis=1) == self.chosen.labels).mean())
        self.readings[f"{self.split} {epoch['epoch']}"] = round(accuracy, 5)
        self.path.write_text(json.dumps(self.readings, indent=1) + "\n")
        line = f"epoch {epoch['epoch']}: {self.split} {accuracy:.4f}, training {epoch['accuracy']:.4f}"
        print(line, file=sys.stderr, flush=True)


def path_of(name: str, faces: LabelledFaces, split: str, out: Path) -> list[dict[str, Any]]:
    """Return one row for each epoch of a run: training accuracy, and accuracy on the split."""
    reader = Reader(faces, split, out / name)
    history = train(settings_of(name), faces, out / name, reader).history
    return [
        {
            "epoch": row["epoch"],
            "training_accuracy": row["accuracy"],
            "validation_accuracy": row["validation_accuracy"],
            "accuracy": reader.readings.get(f"{split} {row['epoch']}"),
        }
        for row in history
    ]


def settings_of(name: str) -> TrainSettings:
    """Return the settings of a run file."""
    return read_settings(TrainSettings, RUNS / f"{name}.toml")


class Turns(Log):
    """Goes on with a run for some faces when told to, then says how many seconds they took."""

    def __init__(self, line: Connection, steps: int) -> None:
        self.line, self.steps, self.taken, self.start = line, steps, 0, 0.0

    def progress(self, epoch: int, share: float) -> None:
        """Count a batch; the first one, which builds the step, is not timed."""
        self.taken += 1
        if self.taken % self.steps == 1 % self.steps:
            self.line.send(time.perf_counter() - self.start)
            self.line.recv()
            self.start = time.perf_counter()


def untaught(name: str) -> TrainSettings:
    """Return the settings of a run without its teachers: what augmentation and memory cost is asked of the learner."""
    return replace(settings_of(name), teachers=(), teacher_share=0.0)


def take_turns(data: Path, settings: TrainSettings, folder: Path, line: Connection) -> None:
    """Train in this process, a turn at each word from the other end of the line."""
    train(settings, read_faces(data), folder, Turns(line, FACES // settings.batch_size))


def speeds(data: Path, turns: int, folder: Path) -> dict[str, list[float]]:
    """Return for each side its faces a second in each turn; while one side goes on, the others wait."""
    published = untaught(PUBLISHED)
    sides = {
        OURS: settings_of(OURS),
        ORIGINAL: settings_of(ORIGINAL),
        "augmented": published,
        "not augmented": replace(published, augmentation=False),
    }
    context, lines = multiprocessing.get_context("spawn"), {}
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for name, settings in sides.items():
        lines[name], other_end = context.Pipe()
        context.Process(target=take_turns, args=(data, settings, folder / name, other_end), daemon=True).start()
        lines[name].recv()  # it is built
    for turn in range(turns + 1):
        for name, line in lines.items():
            line.send(None)
            seconds = line.recv()
            if turn:  # the first one brings everything back into the caches
                taken[name].append(FACES / seconds)
    return taken


def peak_memory(data: Path, epochs: int, tell: Any) -> None:
    """Tell the peak memory of this process, in MB, after so many epochs of our run."""
    faces = read_faces(data)
    if epochs:
        with tempfile.TemporaryDirectory() as folder:
            train(replace(untaught(PUBLISHED), epochs=epochs, cycles=1), faces, Path(folder))
    tell.put(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def training_memory(data: Path) -> float:
    """Return how many MB training takes over what the faces and the libraries take."""
    context = multiprocessing.get_context("spawn")
    told = []
    for epochs in (0, 1):
        queue = context.Queue()
        process = context.Process(target=peak_memory, args=(data, epochs, queue))
        process.start()
        process.join()
        if process.exitcode:
            raise SystemExit("The process whose memory was to be measured has failed, as it says above.")
        told.append(float(queue.get()))
    return told[1] - told[0]


def measure(data: Path, out: Path, split: str, target: float, turns: int) -> dict[str, Any]:
    """Return all figures."""
    memory = training_memory(data)  # first: a process starts with its parent's peak
    faces = read_faces(data)
    paths = {name: path_of(name, faces, split, out) for name in (OURS, ORIGINAL)}
    with tempfile.TemporaryDirectory() as folder:
        taken = speeds(data, turns, Path(folder))
    figures: dict[str, Any] = {"split": split, "n": len(faces.split(split)), "target": target, "runs": {}}
    n = len(faces.split(TRAINING_WITHOUT_VALIDATION))
    for name, rows in paths.items():
        seconds = n / float(np.median(taken[name]))
        there = [int(row["epoch"]) for row in rows if row["accuracy"] is not None and row["accuracy"] >= target]
        for row in rows:
            row["seconds"] = round(row["epoch"] * seconds)
        figures["runs"][name] = {
            "faces_a_second": round(n / seconds, 1),
            "epochs_to_target": there[0] if there else None,
            "seconds_to_target": round(there[0] * seconds) if there else None,
            "path": rows,
        }
    ours, original = (figures["runs"][name] for name in (OURS, ORIGINAL))
    if ours["epochs_to_target"] is not None:
        # Where the original's network does not get there, its whole run counts: so many times less at least.
        epochs = original["epochs_to_target"] or original["path"][-1]["epoch"]
        times = epochs / ours["epochs_to_target"] * np.divide(taken[OURS], taken[ORIGINAL])
        figures["times_less"] = [round(float(part), 1) for part in np.quantile(times, [0.5, 0.1, 0.9])]
    share = np.divide(taken["augmented"], taken["not augmented"])
    figures["augmented_share"] = [round(float(part), 3) for part in np.quantile(share, [0.5, 0.1, 0.9])]
    figures["faces_a_second"] = {name: [round(speed, 1) for speed in row] for name, row in taken.items()}
    figures["memory_over_data_mb"] = round(memory)
    return figures


def show(figures: dict[str, Any]) -> None:
    """Print the figures as a table."""
    print(f"{figures['split']}, n = {figures['n']}; nothing is chosen by it")
    for name, told in figures["runs"].items():
        print(f"\n{name}: {told['faces_a_second']} faces a second")
        print("epoch  seconds  training  validation  " + figures["split"])
        for row in told["path"]:
            read = "unread" if row["accuracy"] is None else f"{row['accuracy']:.4f}"
            print(
                f"{row['epoch']:5}  {row['seconds']:7}  {row['training_accuracy']:8.4f}  "
                f"{row['validation_accuracy']:10.4f}  {read:>{len(figures['split'])}}"
            )
        reached = told["seconds_to_target"]
        print(
            f"{figures['target']} is not reached"
            if reached is None
            else f"{figures['target']} after {told['epochs_to_target']} epochs, {reached} s"
        )
    print("\nmedian over the turns, and where a tenth and nine tenths of them lie")
    print(f"times less: {figures.get('times_less', 'not known')}")
    print(f"augmented, share of the faces a second without: {figures['augmented_share']}")
    print(f"memory over libraries and data: {figures['memory_over_data_mb']} MB")


def main() -> None:
    """Print figures for a person, or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="FER-2013")
    parser.add_argument("--out", type=Path, required=True, help="folder of both runs")
    parser.add_argument("--split", default="PublicTest", help="what is read after each epoch")
    parser.add_argument("--target", type=float, default=0.6, help="accuracy to reach")
    parser.add_argument("--turns", type=int, default=20, help="turns of the timing")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    figures = measure(options.data, options.out, options.split, options.target, options.turns)
    print(json.dumps(figures, indent=2)) if options.json else show(figures)


if __name__ == "__main__":
    main()
