"""How every HTML page is made: one set of rules for templates, and the rules of style that all share."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined


@cache
def page_environment(package: str, *filters: Callable[..., object]) -> Environment:
    """Return the templates of a package, beside those that every page shares; text is escaped, gaps are errors.

    Made once and kept, so that a template is compiled once in a process.

    Args:
        package: that holds a folder `templates`.
        filters: functions that templates may call by their names.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package, "templates"), PackageLoader("roomread", "templates")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {write.__name__: write for write in filters}
    return environment
