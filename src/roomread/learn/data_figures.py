"""What a data set holds, as figures: how many faces of each class and split, and one sample of each."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from roomread import style
from roomread.learn.audit import BLANK_LEVELS
from roomread.learn.datasets import LabelledFaces
from roomread.learn.figures import bare, save_figure, start_figure
from roomread.types import EMOTIONS, N_EMOTIONS, Array


def draw_counts(faces: LabelledFaces, title: str, path: Path) -> Path:
    """Draw how many faces of each class every split holds, one panel per split; return the path.

    Raises:
        OutputError: it cannot be written.
    """
    counts = faces.counts()
    width, columns = 1.3 + 1.9 * max(len(counts), 2), max(len(counts), 1)
    figure, axes = start_figure(width, 2.9, 1, columns, f"{title}: faces per class and split")
    places = np.arange(N_EMOTIONS)
    for number, (axis, (split, held)) in enumerate(zip(axes[0], counts.items(), strict=False)):
        axis.barh(places, held, height=0.7, color=style.LIGHT.accent)
        for place, count in zip(places, held, strict=True):
            share = style.percent(count / held.sum())
            axis.annotate(
                f"{count:,} · {share}", (count, place), (3, 0), textcoords="offset points", va="center", fontsize=7
            )
        axis.set_title(f"{_called(split, counts)}\nn = {held.sum():,}", fontsize=8, fontweight="normal")
        axis.set_yticks(places, EMOTIONS if number == 0 else [""] * N_EMOTIONS)
        axis.tick_params(axis="y", length=0)
        axis.invert_yaxis()
        axis.set_xlim(0, 1.55 * held.max())
        axis.set_xticks([])
        axis.spines["bottom"].set_visible(False)
    return save_figure(figure, path)


def draw_samples(faces: LabelledFaces, title: str, path: Path) -> Path:
    """Draw one face per class (columns) and split (rows), drawn by lot from those that are not blank; return the path.

    Args:
        faces: any data set.
        title: what the data is called.
        path: its ending names the format.

    Raises:
        OutputError: it cannot be written.
    """
    counts = faces.counts()
    width, rows = 0.9 + 0.95 * N_EMOTIONS, max(len(counts), 1)
    figure, axes = start_figure(width, 0.55 + 1.15 * rows, rows, N_EMOTIONS, f"{title}: one face per class and split")
    lot = np.random.default_rng(0)
    for number, (line, split) in enumerate(zip(axes, counts, strict=False)):
        part = faces.split(split)
        line[0].set_ylabel(_called(split, counts).replace(" (", "\n("), rotation=0, ha="right", va="center")
        for label, axis in enumerate(line):
            bare(axis)
            if number == 0:
                axis.set_title(EMOTIONS[label], fontsize=9, fontweight="normal", loc="center")
            chosen = _one_of(part, label, lot)
            if chosen is None:
                axis.text(0.5, 0.5, "none", ha="center", va="center", color=style.LIGHT.muted, fontsize=8)
                continue
            axis.imshow(part.images[chosen, :, :, 0], cmap="gray", vmin=0, vmax=255)
            axis.set_xlabel(f"row {part.rows[chosen]}", fontsize=6.5, color=style.LIGHT.muted, labelpad=2)
    return save_figure(figure, path)


def _one_of(faces: LabelledFaces, label: int, lot: np.random.Generator) -> int | None:
    """Return the place of a face of a class that is not blank, None where there is none."""
    blank: Array = np.ptp(faces.images, axis=(1, 2, 3)) < BLANK_LEVELS
    places = np.flatnonzero((faces.labels == label) & ~blank)
    return int(lot.choice(places)) if len(places) else None


def _called(split: str, counts: dict[str, Array]) -> str:
    """Return a split's heading, which says so where its faces are counted in another one as well."""
    if split == "validation" and "Training" in counts:
        return "validation (of Training)"
    return "test (both together)" if split == "test" and "PublicTest" in counts else split
