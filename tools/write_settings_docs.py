"""Write the tables of docs/training.md from the fields of the settings and the comments beside them.

python tools/write_settings_docs.py
"""

import ast
import inspect
from pathlib import Path

from roomread.learn import augment, settings

PAGE = Path(__file__).parents[1] / "docs" / "training.md"
MARK = "<!-- written by tools/write_settings_docs.py -->\n"


def table(kind: type) -> str:
    """Return a row for each field of a dataclass: name, default, and what its comment says."""
    source = inspect.getsource(kind)
    lines = source.splitlines()
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    for node in ast.parse(source).body[0].body:  # type: ignore[attr-defined]
        if isinstance(node, ast.AnnAssign):
            name, meaning = ast.unparse(node.target), lines[node.lineno - 1].partition("  # ")[2]
            value = "" if isinstance(node.value, ast.Call) else ast.unparse(node.value or node.target)
            default = {"": "", "True": "`true`", "False": "`false`", "None": "none", "()": "`[]`"}.get(value)
            default = f"`{value}`".replace("'", '"') if default is None else default
            rows.append(f"| `{name}` | {default} | {meaning} |")
    return "\n".join(rows) + "\n"


def settings_docs(text: str) -> str:
    """Return the page with its tables written anew, all that comes after the mark."""
    return (
        f"{text.partition(MARK)[0]}{MARK}\n{table(settings.TrainSettings)}\n## `[augment]`\n\n"
        f"How far a training face may be changed; 0 switches a change off.\n\n{table(augment.AugmentSettings)}"
    )


if __name__ == "__main__":
    PAGE.write_text(settings_docs(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
