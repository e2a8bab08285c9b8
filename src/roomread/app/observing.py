"""How frames are looked at, in files and as they come: the networks, opened once, and the way through them."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

import roomread
from roomread.faces.detector import DetectorSettings, open_detector
from roomread.faces.expression import ExpressionModel, ExpressionSettings
from roomread.faces.head import HeadReader, HeadSettings
from roomread.faces.onnx import DEFAULT_THREADS, Runtime
from roomread.types import Frame, Observation
from roomread.watch.masks import MaskSettings, covered
from roomread.watch.pipeline import observe
from roomread.watch.signals import SignalReader, SignalSettings
from roomread.watch.track import SeatTracker, TrackSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserveSettings:
    """How each frame is looked at."""

    threads: int = DEFAULT_THREADS  # processor threads
    device: str = "cpu"  # that the networks run on; cuda takes an NVIDIA card and the package onnxruntime-gpu
    model: Path | None = None  # the expression model; None takes the published one
    masks: MaskSettings = field(default_factory=MaskSettings)
    detector: DetectorSettings = field(default_factory=DetectorSettings)
    expression: ExpressionSettings = field(default_factory=ExpressionSettings)
    head: HeadSettings = field(default_factory=HeadSettings)
    signals: SignalSettings = field(default_factory=SignalSettings)
    tracks: TrackSettings = field(default_factory=TrackSettings)

    def __post_init__(self) -> None:
        Runtime(threads=self.threads, device=self.device)  # checks both


class Observer:
    """Looks at the frames of one source; it knows the seats that it has seen."""

    def __init__(self, settings: ObserveSettings, side_by_side: bool) -> None:
        """Open the networks.

        Args:
            settings: how each frame is looked at.
            side_by_side: whether the threads take a frame each, which is quicker altogether, or all one frame after
                another, of which each is done sooner.

        Raises:
            ModelError: a model cannot be used.
        """
        runtime = Runtime(threads=1 if side_by_side else settings.threads, device=settings.device)
        self.workers = settings.threads if side_by_side else 1
        self.masks = settings.masks
        self.detector = open_detector(settings.detector, runtime)
        self.reader = ExpressionModel(settings.expression, runtime, settings.model)
        self.head = HeadReader(settings.head, runtime) if settings.signals.rate > 0 else None
        self._settings = settings
        self.forget()

    def forget(self) -> None:
        """Begin another source: its seats are new, the networks stay open."""
        self.tracker = SeatTracker(self._settings.tracks)
        self.signals = None if self.head is None else SignalReader(self.head, self._settings.signals)

    @property
    def notes(self) -> tuple[str, ...]:
        """What befell all seats at once so far, in words, such as a camera that was moved."""
        return self.tracker.notes

    def observe(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Observation]]:
        """Yield each frame, its masks covered, with what was observed in it."""
        seen = covered(frames, self.masks)
        return observe(seen, self.detector, self.tracker, self.reader, self.signals, self.workers)

    def made_with(self) -> dict[str, Any]:
        """Return the versions of what looks, and the names and hashes of its networks."""
        networks = self.detector.networks | {"expression": self.reader.network}
        if self.head is not None:
            networks["mesh"] = self.head.mesh.network
        return {
            "roomread": roomread.__version__,
            "python": platform.python_version(),
            "onnxruntime": onnxruntime.__version__,
            "numpy": np.__version__,
            **{name: {"name": network.card.name, "sha256": network.card.sha256} for name, network in networks.items()},
        }
