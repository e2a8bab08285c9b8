"""Which mappings there are."""

from __future__ import annotations

import pytest

from roomread.app.panel import DEFAULT_MAPPING, find_mapping, panel
from roomread.engagement.mappings import PUBLISHED
from roomread.errors import SettingsError


def test_every_published_formula_is_found_by_its_name() -> None:
    assert {mapping.name for mapping in PUBLISHED} <= set(panel())
    for name, mapping in panel().items():
        assert find_mapping(name).name == mapping.name == name


def test_without_a_name_the_default_one_is_taken() -> None:
    assert find_mapping().name == DEFAULT_MAPPING == next(iter(panel()))


def test_an_unknown_mapping_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"no mapping 'shrama'\. Expected one of: .*sharma"):
        find_mapping("shrama")
