"""Train the original project's network, as its script of this name did, and save it as emotion_model2.h5.

python examples/emotion_recognition_training.py fer2013.csv trained [RUN.toml]
"""

import sys
from pathlib import Path

from roomread.config import read_settings
from roomread.learn.readers import read_faces
from roomread.learn.run import run
from roomread.learn.train import TrainSettings, Watcher

RUN = Path(__file__).parents[1] / "runs" / "baseline-script.toml"


class Printer(Watcher):
    """Prints a line for each epoch and file."""

    def say(self, line: str) -> None:
        """Print it."""
        print(line, flush=True)


data, out, *other = map(Path, sys.argv[1:])
path, figures = run(read_settings(TrainSettings, *(other or [RUN])), read_faces(data), out, Printer())
print(f"{path}: accuracy {figures.accuracy:.4f} on {figures.split}, n = {figures.n}")
