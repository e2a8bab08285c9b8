"""The report's figures for other pages: the same macros, the same rules of style."""

from __future__ import annotations

from typing import Any

from roomread import style
from roomread.page import page_environment
from roomread.types import EMOTIONS

FILTERS = (style.score, style.percent, style.count, style.clock, style.duration, style.slug)


def figures() -> Any:
    """Return the macros of figures.html, to be called from another package's template or from Python."""
    return page_environment("roomread.review", *FILTERS).get_template("figures.html").module


def figure_rules() -> str:
    """Return the rules of style that the figures need beside base.css."""
    rules = page_environment("roomread.review", *FILTERS).get_template("charts.css")
    return rules.render(style=style, emotions=EMOTIONS)


def standalone(figure: str) -> str:
    """Return a figure as a document of its own, as SVG readers want it."""
    return figure.strip().replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
