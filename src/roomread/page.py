"""How every HTML page is made: one set of rules for templates, and the rules of style that all share."""

from __future__ import annotations

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined


def page_environment(package: str) -> Environment:
    """Return the templates of a package, beside those that every page shares; text is escaped, gaps are errors."""
    return Environment(
        loader=ChoiceLoader([PackageLoader(package, "templates"), PackageLoader("roomread", "templates")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
