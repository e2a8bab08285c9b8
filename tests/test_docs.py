import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(ROOT.glob("docs/**/*.md"))


def test_the_page_of_commands_is_what_the_commands_say():
    tool = runpy.run_path(str(ROOT / "tools" / "write_cli_docs.py"))
    written = tool["PAGE"].read_text(encoding="utf-8")
    one, other = (
        set(re.findall(r"[\w-]+", text)) for text in (written, tool["cli_docs"]())
    )  # Pythons lay it out apart
    assert one == other, "run `python tools/write_cli_docs.py`"


def test_the_model_card_page_is_what_the_card_says():
    tool = runpy.run_path(str(ROOT / "tools" / "write_model_card.py"))
    assert tool["PAGE"].read_text(encoding="utf-8") == tool["model_card"](), "run `python tools/write_model_card.py`"


@pytest.mark.learn
def test_the_page_of_training_says_every_setting_as_its_comment_does():
    tool = runpy.run_path(str(ROOT / "tools" / "write_settings_docs.py"))
    text = tool["PAGE"].read_text(encoding="utf-8")
    assert text == tool["settings_docs"](text), "run `python tools/write_settings_docs.py`"
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert len(rows) == 41 and not [row for row in rows if row.endswith("|  |")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_named_file_of_a_page_exists(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
    for name in re.findall(r"`((?:docs|runs|tools|benchmarks|examples|src)/[\w./-]+\.\w+)`", text):
        assert (ROOT / name).exists(), f"{page.name} names {name}"


def test_the_readme_shows_every_command_and_stays_short():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.count("\n") <= 150
    for command in ("make demo", "make test", "pip install", "roomread analyze", "roomread report", "roomread export"):
        assert command in text


def test_the_version_stands_in_the_changelog():
    import roomread

    assert f"## {roomread.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_line_of_the_threat_model_names_tests_that_exist():
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| ") and not line.endswith("| | |")]
    assert len(lines) > 30
    for line in lines[1:]:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", line.split(" | ")[-1])
        assert named, line
        for path, name in named:
            assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), f"{path} has no {name}"
