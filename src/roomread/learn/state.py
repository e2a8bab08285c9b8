"""What of a run is on disk, so that a kill loses at most the epoch it falls into."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from roomread.config import as_dict, make_settings
from roomread.errors import OutputError, SettingsError
from roomread.learn.datasets import LabelledFaces, soft_targets
from roomread.learn.schedule import Epoch
from roomread.learn.settings import TrainSettings
from roomread.output import write_whole
from roomread.types import Array

CHOSEN_AT_THE_END = ("keep", "temperature")  # of the settings; what is fitted does not depend on them


class State:
    """The whole state of a run in one folder, replaced whole after each epoch.

    last.npz holds every variable of learner and optimiser (weights, moving averages, random states), the averaged
    network's when there is one, and the history; best.npz the network's weights of the best epoch; history.csv the log.
    """

    def __init__(self, out: Path, settings: TrainSettings, faces: LabelledFaces, teachers: str) -> None:
        """Make the folder.

        Args:
            out: the folder.
            settings: the run.
            faces: what is fitted on; a run on other rows, or with other labels or votes, is refused.
            teachers: a hash of the networks that teach; a run with others is refused.

        Raises:
            OutputError: the folder cannot be made.
        """
        self.path, self.settings = out / "last.npz", settings
        self.teachers = teachers
        self.best, self.log = out / "best.npz", out / "history.csv"
        order = np.argsort(faces.rows, kind="stable")
        targets = soft_targets(faces, settings.ferplus_share)[order]
        self.rows = hashlib.sha256(faces.rows[order].astype("<i8").tobytes()).hexdigest()
        self.targets = hashlib.sha256(targets.astype("<f4").tobytes()).hexdigest()
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"The folder {out} cannot be made: {error.strerror}.") from error

    def resume(self, variables: Sequence[Any]) -> list[Epoch]:
        """Set the variables to where the run stopped and return its history; an empty folder changes nothing.

        Raises:
            OutputError: the state is damaged, or of another run.
        """
        if not self.path.exists():
            return []
        try:
            with self.path.open("rb") as file, np.load(file) as saved:
                about = json.loads(str(saved["about"]))
                values = [saved[str(number)] for number in range(len(saved.files) - 1)]
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise OutputError(f"The state {self.path} cannot be read: {error}. Choose another --out.") from error
        if not self._is_same(about):
            raise OutputError(
                f"{self.path.parent} holds a run with other settings. Expected: an empty folder or the same run. "
                "Choose another --out."
            )
        if about.get("rows", self.rows) != self.rows:
            raise OutputError(f"{self.path.parent} holds a run on other faces. Choose another --out.")
        if about.get("targets", self.targets) != self.targets:  # earlier states do not say
            raise OutputError(
                f"{self.path.parent} holds a run with other labels or votes. Expected: --data, --labels and --ferplus "
                "as they were then. Choose another --out."
            )
        if about.get("teachers", self.teachers) != self.teachers:  # likewise
            raise OutputError(
                f"{self.path.parent} holds a run with other teachers. Expected: the files and runs that taught it, as "
                "they were then. Choose another --out."
            )
        if [tuple(variable.shape) for variable in variables] != [value.shape for value in values]:
            raise OutputError(f"The state {self.path} is of another network. Choose another --out.")
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        history: list[Epoch] = about["epochs"]
        return history

    def _is_same(self, about: dict[str, Any]) -> bool:
        """Tell whether the settings are these; one that roomread did not have yet counts as its default."""
        if about["settings"].get("augment", {}).pop("seed", 0):  # a setting of earlier versions, added to the run's
            return False
        try:
            stored = make_settings(TrainSettings, about["settings"], str(self.path))
        except SettingsError:
            return False
        later = {name: getattr(self.settings, name) for name in CHOSEN_AT_THE_END}
        return dataclasses.replace(stored, **later) == self.settings

    def save(self, variables: Sequence[Any], history: list[Epoch], best: Sequence[Array] | None) -> None:
        """Write everything that the next epoch depends on, and the network's weights when this epoch is the best.

        Raises:
            OutputError: a file cannot be written.
        """
        values = {str(number): np.asarray(variable) for number, variable in enumerate(variables)}
        of = {"settings": as_dict(self.settings), "rows": self.rows, "targets": self.targets, "teachers": self.teachers}
        about = json.dumps({**of, "epochs": history})
        columns = list(history[-1])
        rows = [",".join(columns), *(",".join(str(epoch.get(name, "")) for name in columns) for epoch in history)]
        files: dict[Path, Callable[[Path], object]] = {
            self.path: lambda path: _save_arrays(path, {**values, "about": np.array(about)}),
            self.log: lambda path: path.write_text("\n".join(rows) + "\n", encoding="utf-8"),
        }
        if best is not None:
            weights = {str(number): value for number, value in enumerate(best)}
            files = {self.best: lambda path: _save_arrays(path, weights), **files}
        write_whole(files)

    def read_best(self) -> list[Array]:
        """Return the network's weights of the best epoch.

        Raises:
            OutputError: their file is missing or damaged.
        """
        try:
            with self.best.open("rb") as file, np.load(file) as saved:
                return [saved[str(number)] for number in range(len(saved.files))]
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise OutputError(f"The best weights {self.best} cannot be read: {error}. Choose another --out.") from error


def _save_arrays(path: Path, values: dict[str, Array]) -> None:
    with path.open("wb") as file:
        np.savez(file, **values)  # type: ignore[arg-type]  # its stubs take the names for its own arguments
