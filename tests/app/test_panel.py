"""Which mappings there are."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from roomread.app.panel import WITHOUT_SIGNALS, find_mapping, open_glance, panel
from roomread.engagement.mappings import PUBLISHED
from roomread.errors import ModelError, SettingsError
from roomread.types import N_SIGNALS


def test_every_published_formula_is_found_by_its_name() -> None:
    assert {mapping.name for mapping in PUBLISHED} <= set(panel())
    for name, mapping in panel().items():
        assert find_mapping(name).name == mapping.name == name


def test_without_a_name_the_glance_is_taken_and_without_signals_a_formula() -> None:
    assert find_mapping().name == "glance" == next(iter(panel()))
    assert find_mapping(signals=False).name == WITHOUT_SIGNALS
    assert find_mapping("glance", signals=False).name == "glance"


def test_without_its_coefficients_there_is_no_glance(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("roomread.app.panel.open_glance", lambda: open_glance(tmp_path / "glance.json"))
    assert list(panel()) == [mapping.name for mapping in PUBLISHED]
    assert find_mapping().name == WITHOUT_SIGNALS


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"parts": [{}]}', '{"parts": [{"data": "x", "curves": {}, "cuts": {"x": [0]}}]}']
)
def test_a_damaged_glance_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "glance.json").write_text(text)
    with pytest.raises(ModelError, match=r"holds no glance model.*Copy it"):
        open_glance(tmp_path / "glance.json")


def test_a_glance_is_read_as_it_was_written(tmp_path: Path) -> None:
    glance = open_glance()
    assert glance is not None
    write_glance = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "fit_glance.py"))["write_glance"]
    write_glance(glance, tmp_path / "again.json", {"terms": "none"})
    again = open_glance(tmp_path / "again.json")
    assert again is not None
    signals = np.random.default_rng(0).normal(0, 20, (50, N_SIGNALS))
    assert_array_equal(again.score(np.empty((50, 7)), signals), glance.score(np.empty((50, 7)), signals))


def test_an_unknown_mapping_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"no mapping 'shrama'\. Expected one of: .*sharma"):
        find_mapping("shrama")
