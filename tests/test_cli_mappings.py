"""roomread mappings."""

from __future__ import annotations

import json

import pytest

from roomread.app.panel import panel
from roomread.cli.main import main


def test_every_mapping_is_listed_with_what_it_is_worth(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mappings"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    for mapping in panel().values():
        for text in (mapping.name, mapping.formula, mapping.source, mapping.validity):
            assert text in printed
    assert printed.count("0.5 is a coin") == len(panel())


def test_the_list_as_json_holds_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mappings", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in told] == list(panel())
    assert all(set(each) == {"name", "formula", "source", "validity"} for each in told)
