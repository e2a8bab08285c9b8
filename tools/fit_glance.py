"""Fit the glance model and draw its curves.

    python tools/fit_glance.py --wacv wacv2016-engagement.parquet --daisee daisee-faces-train-validation.parquet

Writes src/roomread/weights/research/glance.json and docs/images/glance.png. How smooth the curves of each part are was
chosen by cross-validation by person on the same files.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np

from roomread.app.graded import read_graded
from roomread.app.panel import GLANCE
from roomread.engagement.glance import Glance, Part, cross_validated, fit_part, least_probability
from roomread.engagement.ordinal import FitSettings

FIGURE = Path(__file__).resolve().parents[1] / "docs" / "images" / "glance.png"
SETTINGS = {
    "WACV 2016": FitSettings(knots=8, smoothness=1.0, flatness=0.1),
    "DAiSEE": FitSettings(knots=6, smoothness=10.0, flatness=3.0),
}
ABOUT = {
    "name": "glance",
    "origin": "this project, tools/fit_glance.py",
    "terms": "Fitted on WACV 2016 (Kamath, Biswas and Balasubramanian 2016) and DAiSEE (Gupta et al. 2016), which are "
    "for research only: so are these coefficients. They are used for the purposes research, self-study and demo; "
    "without this file the published mappings work. See README.md beside it.",
}


def fitted(name: str, path: Path) -> Part:
    """Return the part of one file."""
    print(f"reading {path.name}", file=sys.stderr)
    pictures = read_graded(path)
    seen = pictures[~np.isnan(pictures.signals[:, 0])]
    likely, _ = cross_validated(seen.signals, seen.levels, seen.people, SETTINGS[name])
    return Part(
        data=name,
        people=len(np.unique(seen.people)),
        n=len(seen.levels),
        sha256=pictures.sha256,
        model=fit_part(seen.signals, seen.levels, int(seen.levels.max()) + 1, SETTINGS[name]),
        settings=SETTINGS[name],
        least=least_probability(likely, seen.levels),
    )


def write_glance(glance: Glance, path: Path, about: dict[str, str]) -> None:
    """Write a glance as JSON.

    Args:
        glance: what is written.
        path: the file.
        about: what is told at its head: terms, origin.
    """
    parts = [
        {
            "data": part.data,
            "people": part.people,
            "n": part.n,
            "sha256": part.sha256,
            "least": round(part.least, 5),
            "settings": asdict(part.settings),
            **part.model.as_dict(),
            "cuts": {part.data: part.model.as_dict()["cuts"]},
        }
        for part in glance.parts
    ]
    path.write_text(json.dumps({**about, "parts": parts}, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Fit, write, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wacv", type=Path, required=True)
    parser.add_argument("--daisee", type=Path, required=True)
    options = parser.parse_args()
    glance = Glance((fitted("WACV 2016", options.wacv), fitted("DAiSEE", options.daisee)))
    GLANCE.parent.mkdir(exist_ok=True)
    write_glance(glance, GLANCE, ABOUT)
    print(GLANCE)
    draw(glance, FIGURE)
    print(FIGURE)


def draw(glance: Glance, out: Path) -> None:
    """Draw what each input adds in each part."""
    from roomread import style
    from roomread.learn.figures import save_figure, start_figure

    units = {"yaw": "degrees", "pitch": "degrees", "roll": "degrees", "gaze": "degrees", "look": "degrees"}
    names = list(glance.parts[0].model.curves)
    figure, axes = start_figure(13, 7, 3, 5)
    for axis in axes.flat[1:]:
        axis.sharey(axes[0, 0])
    for axis, name in zip(axes.flat, names, strict=False):
        for part, colour in zip(glance.parts, (style.LIGHT.accent, style.LIGHT.emotions["angry"]), strict=True):
            curve = part.model.curves[name]
            axis.plot(
                curve.knots, curve.values - curve.missing, color=colour, marker="o", markersize=3, label=part.data
            )
        axis.axhline(0, color=style.LIGHT.muted, linewidth=0.8)
        axis.set_title(name.replace("_", " "), loc="left", fontsize=10)
        axis.set_xlabel(units.get(name, ""), fontsize=8)
        axis.tick_params(labelsize=8)
    for axis in axes.flat[len(names) :]:
        axis.set_visible(False)
    axes[0, 0].legend(frameon=False, fontsize=8)
    figure.supylabel("adds to engagement, logits against the average", fontsize=10)
    save_figure(figure, out)


if __name__ == "__main__":
    main()
