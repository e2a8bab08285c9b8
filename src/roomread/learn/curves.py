"""The curves of a training run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.ticker import MaxNLocator

from roomread import style
from roomread.learn.figures import save_figure, start_figure

TRAINING, VALIDATION = style.LIGHT.unreadable, style.LIGHT.accent


def draw_curves(history: Sequence[dict[str, float]], best: int, name: str, path: Path) -> Path:
    """Draw accuracy and loss of each epoch, in training and on `validation`, side by side; return the path.

    Args:
        history: as in `learn.train.Trained`.
        best: number of the epoch that is best on `validation`; it is marked.
        name: of the run.
        path: of the figure; its ending names the format.

    Raises:
        OutputError: it cannot be written.
    """
    title = f"{name}: {len(history)} epochs, best on validation: epoch {best}"
    figure, axes = start_figure(8.4, 3.4, 1, 2, title)
    _panel(axes[0, 0], history, best, "accuracy")
    _panel(axes[0, 1], history, best, "loss")
    return save_figure(figure, path)


def _panel(axes: Any, history: Sequence[dict[str, float]], best: int, what: str) -> None:
    epochs = [epoch["epoch"] for epoch in history]
    penalty = what == "loss" and any(epoch.get("penalty") for epoch in history)
    marker = "o" if len(history) < 10 else None
    for column, colour, label in (
        (what, TRAINING, "training, penalty included" if penalty else "training, as shown to the network"),
        (f"validation_{what}", VALIDATION, "validation"),
    ):
        values = [epoch.get(column, math.nan) for epoch in history]
        axes.plot(epochs, values, color=colour, marker=marker, markersize=3, linewidth=1.6, label=label)
        if column.startswith("validation"):
            axes.plot([best], [values[best - 1]], "o", color=colour, markersize=6, markerfacecolor="white")
            axes.annotate(
                f"{values[best - 1]:.3f}", (best, values[best - 1]), (0, -13), textcoords="offset points", ha="center",
                color=colour, fontsize=8,
            )  # fmt: skip
    unit = "share of faces, 0 to 1" if what == "accuracy" else "cross-entropy, nats"
    axes.set_title(f"{what.capitalize()} ({unit})", loc="left", fontsize=9)
    axes.set_xlim(0.5, len(history) + 0.5)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.margins(y=0.15)
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    axes.legend(frameon=False, fontsize=8, loc="best")
