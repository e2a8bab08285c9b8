"""Holds the import tables of docs/how-it-works.md against the code."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "roomread"
MODULES = sorted(PACKAGE.rglob("*.py"))


def table(heading):
    """Return {first cell: set of the other's names} of the table whose head has that second cell."""
    text = (ROOT / "docs" / "how-it-works.md").read_text(encoding="utf-8")
    rows = text.split(f"| {heading} |\n", 1)[1].split("\n\n", 1)[0].splitlines()[1:]
    found = {}
    for row in rows:
        first, second = row.strip("|").split("|")
        for name in re.findall(r"`([\w.]+)`", first):
            found[name] = set(re.findall(r"`([\w.]+)`", second))
    return found


ALLOWED = table("may import")
DOORS = table("only in")


def dotted(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


@cache
def imported(path):
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return names


def within(name, places):
    return any(name == place or name.startswith(f"{place}.") for place in places)


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_a_module_imports_only_what_its_row_allows(path):
    name = dotted(path)
    row = next((key for key in ALLOWED if within(name, [key])), None)
    assert row is not None, f"{name} has no row in docs/how-it-works.md"
    own = {target.removeprefix("roomread.") for target in imported(path) if target.startswith("roomread.")}
    modules = {dotted(other) for other in MODULES}
    wrong = {target for target in own & modules if not within(target, ALLOWED[row])}
    packages = {module.rpartition(".")[0] for module in modules}
    assert not wrong - packages, f"{name} imports {wrong}"


def test_rows_of_a_lesson_are_read_at_the_gate_and_where_they_are_written_alone():
    readers = {dotted(path) for path in MODULES if ".readings(" in path.read_text(encoding="utf-8")}
    assert readers == {"store.privacy", "app.joining"}


@pytest.mark.parametrize("library", DOORS)
def test_a_library_is_imported_only_through_its_doors(library):
    users = {dotted(path) for path in MODULES if any(within(target, [library]) for target in imported(path))}
    assert users, f"nobody imports {library}"
    assert not {user for user in users if not within(user, DOORS[library])}


def test_the_package_imports_without_a_cycle():
    graph = {}
    names = {dotted(path): path for path in MODULES}
    for name, path in names.items():
        targets = {target.removeprefix("roomread.") for target in imported(path) if target.startswith("roomread.")}
        graph[name] = {target for target in targets if target in names and target != name}
    while leaves := [name for name, targets in graph.items() if not targets]:
        for leaf in leaves:
            del graph[leaf]
        for targets in graph.values():
            targets.difference_update(leaves)
    assert not graph, f"these import each other: {sorted(graph)}"


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_a_module_has_no_broad_except_no_assert_and_at_most_500_lines(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 500
    for node in ast.walk(ast.parse(text)):
        assert not isinstance(node, ast.Assert)
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None
            assert "Exception" not in ast.unparse(node.type).split(", ")
