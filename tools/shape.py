"""Print the shape of the package, each figure beside its limit; exit 1 where one is beyond it.

python tools/shape.py [--json]
"""

from __future__ import annotations

import argparse
import ast
import graphlib
import json
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import resolve_name
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PACKAGE, TESTS = ROOT / "src" / "roomread", ROOT / "tests"
LONG = 60  # lines of a function that no longer fits on a screen
TRIVIAL = 5  # lines up to which a module, such as an empty __init__, does not count among the modules
LIMITS = {  # what a figure must not be above; those of EXACTLY must be just so
    "largest_module": 500,
    "functions_over_60_percent": 2,
    "widest_signature": 6,
}
EXACTLY = {
    "cycles_at_import": 0,
    "broad_excepts": 0,
    "asserts": 0,
    "annotated_percent": 100,
    "documented_percent": 100,
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """A file of the package, read and parsed."""

    name: str
    is_package: bool
    lines: int
    tree: ast.Module


def read(root: Path) -> list[Module]:
    """Return every module below a package's folder."""
    modules = []
    for path in sorted(root.rglob("*.py")):
        parts = [root.name, *path.relative_to(root).with_suffix("").parts]
        is_package, text = parts[-1] == "__init__", path.read_text(encoding="utf-8")
        name = ".".join(parts[:-1] if is_package else parts)
        modules.append(Module(name, is_package, text.count("\n"), ast.parse(text)))
    return modules


def parameters(function: Function) -> list[ast.arg]:
    """Return what can be handed over by name or place, `self` included."""
    return function.args.posonlyargs + function.args.args + function.args.kwonlyargs


def length(function: Function) -> int:
    """Return a function's lines, its docstring included."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def run_on_import(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports that run when a module is imported: not those in functions or for the type checker alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            yield from run_on_import(ast.Module(child.orelse, []))
        elif not isinstance(child, Function):
            yield from run_on_import(child)


def imported(module: Module, known: set[str]) -> set[str]:
    """Return the package's own modules that importing a module imports."""
    found = set()
    for node in run_on_import(module.tree):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        else:
            inside = module.name if module.is_package else module.name.rpartition(".")[0]
            base = resolve_name("." * node.level + (node.module or ""), inside)
            found |= {f"{base}.{each.name}" if f"{base}.{each.name}" in known else base for each in node.names}
    return found & known - {module.name}


def cycle(modules: list[Module]) -> list[str]:
    """Return modules that import each other in a ring; none is the hope."""
    known = {module.name for module in modules}
    try:
        graphlib.TopologicalSorter({module.name: imported(module, known) for module in modules}).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def public(tree: ast.Module) -> list[ast.ClassDef | Function]:
    """Return a module's public classes and functions, and the public methods of these classes."""
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name[0] != "_"]
    bodies = [tree.body, *(each.body for each in classes)]
    methods = [node for body in bodies for node in body if isinstance(node, Function)]
    return [*classes, *(method for method in methods if method.name[0] != "_")]


def is_annotated(function: Function) -> bool:
    """Return whether what comes back and all that is handed over has its type."""
    given = [each for each in parameters(function) if each.arg not in {"self", "cls"}]
    return function.returns is not None and all(each.annotation for each in given)


def measure(root: Path, tests: Path) -> dict[str, Any]:
    """Return every figure of a package, and where the extremes are."""
    modules = read(root)
    nodes = [(module, node) for module in modules for node in ast.walk(module.tree)]
    functions = [(module, node) for module, node in nodes if isinstance(node, Function)]
    names = [node for module in modules for node in public(module.tree)]
    calls = [node for node in names if isinstance(node, Function)]
    caught = [ast.unparse(node.type) if node.type else "" for _, node in nodes if isinstance(node, ast.ExceptHandler)]
    sizes = [module.lines for module in modules if module.lines > TRIVIAL]
    lines, over = sum(module.lines for module in modules), sum(length(node) > LONG for _, node in functions)
    largest = max(modules, key=lambda module: module.lines)
    longest = max(functions, key=lambda each: length(each[1]))
    widest = max(functions, key=lambda each: len(parameters(each[1])))
    test_lines = sum(path.read_text(encoding="utf-8").count("\n") for path in tests.rglob("*.py"))
    return {
        "modules": len(sizes),
        "lines": lines,
        "median_module": int(statistics.median(sizes)),
        "largest_module": largest.lines,
        "largest_module_is": largest.name,
        "functions": len(functions),
        "median_function": int(statistics.median(length(node) for _, node in functions)),
        "longest_function": length(longest[1]),
        "longest_function_is": f"{longest[0].name}:{longest[1].name}",
        "functions_over_60": over,
        "functions_over_60_percent": round(100 * over / len(functions), 2),
        "widest_signature": len(parameters(widest[1])),
        "widest_signature_is": f"{widest[0].name}:{widest[1].name}",
        "cycles_at_import": len(cycle(modules)),
        "broad_excepts": sum(each in {"", "Exception", "BaseException"} for each in caught),
        "asserts": sum(isinstance(node, ast.Assert) for _, node in nodes),
        "annotated_percent": 100 * sum(map(is_annotated, calls)) / len(calls),
        "documented_percent": 100 * sum(ast.get_docstring(node) is not None for node in names) / len(names),
        "test_lines_per_line": round(test_lines / lines, 2),
    }


def beyond(figures: dict[str, Any]) -> list[str]:
    """Return what is beyond its limit, in words."""
    above = [f"{name} is {figures[name]}, at most {most}" for name, most in LIMITS.items() if figures[name] > most]
    other = [f"{name} is {figures[name]}, must be {must}" for name, must in EXACTLY.items() if figures[name] != must]
    return above + other


def main() -> int:
    """Measure, print and judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    figures = measure(PACKAGE, TESTS)
    if parser.parse_args().json:
        print(json.dumps(figures))
    else:
        limits = {name: f"at most {most}" for name, most in LIMITS.items()}
        limits |= {name: f"must be {must}" for name, must in EXACTLY.items()}
        for name, value in figures.items():
            print(f"{name:26} {value!s:45} {limits.get(name, '')}".rstrip())
    for wrong in beyond(figures):
        print(f"shape: {wrong}", file=sys.stderr)
    return int(bool(beyond(figures)))


if __name__ == "__main__":
    sys.exit(main())
