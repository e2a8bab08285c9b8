"""How the pages of this folder become a site: `make docs` builds it below build/site."""

import re
import tomllib
from pathlib import Path

import roomread

HERE = Path(__file__).resolve().parent
ABOUT = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REPOSITORY = ABOUT["urls"]["Documentation"].removesuffix("tree/main/docs")
LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)\s]+)")
LISTED = re.compile(r"^- \[[^\]]+\]\((\w[\w/-]*)\.md\)", re.MULTILINE)

project, author, release = ABOUT["name"], "the makers of roomread", roomread.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme, html_title = "furo", f"roomread {release}"
html_static_path, html_css_files = ["site.css"], ["site.css"]
html_copy_source = html_show_copyright = False
myst_heading_anchors = 3
highlight_language = "none"  # of blocks that name no language
default_role = "code"  # what single backticks in docstrings mean
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"


def setup(app):
    """Have every page changed as `changed` says before it is read."""
    app.connect("source-read", changed)


def changed(app, page, source):
    """Lead links that leave this folder to the repository, and make the lists of the first page the site's menu."""
    folder = (HERE / page).parent

    def lead(found):
        path, _, part = found[1].partition("#")
        target = (folder / path).resolve()
        if target.is_relative_to(HERE):
            return found[1]
        kind = "tree" if target.is_dir() else "blob"
        return f"{REPOSITORY}{kind}/main/{target.relative_to(HERE.parent).as_posix()}{part and '#'}{part}"

    source[0] = LINK.sub(lead, source[0])
    if page == "index":
        source[0] += "".join(map(menu, source[0].split("\n## ")[1:]))


def menu(section):
    """Return the site's menu of one section of the first page: its heading and the pages that its list names."""
    pages = "\n".join(LISTED.findall(section))
    return pages and f"\n```{{toctree}}\n:hidden:\n:caption: {section.splitlines()[0]}\n\n{pages}\n```\n"
