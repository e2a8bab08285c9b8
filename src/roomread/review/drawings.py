"""The report's figures for other pages: the same macros, the same rules of style."""

from __future__ import annotations

from typing import Any

from roomread import style
from roomread.page import page_environment
from roomread.types import EMOTIONS

FILTERS = (style.score, style.percent, style.count, style.clock, style.duration, style.slug)


def figure_environment() -> Any:
    """Return the templates of reviews with the filters that their figures need."""
    environment = page_environment("roomread.review")
    for write in FILTERS:
        environment.filters[write.__name__] = write
    return environment


def figures() -> Any:
    """Return the macros of figures.html, to be called from another package's template or from Python."""
    return figure_environment().get_template("figures.html").module


def figure_rules() -> str:
    """Return the rules of style that the figures need beside base.css."""
    rules: str = figure_environment().get_template("charts.css").render(style=style, emotions=EMOTIONS)
    return rules


def standalone(figure: str) -> str:
    """Return a figure as a document of its own, as SVG readers want it."""
    return figure.strip().replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
