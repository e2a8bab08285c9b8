"""How the `validation` part was chosen."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
from numpy.testing import assert_array_equal

TOOL = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "choose_validation.py"))


def test_whole_groups_are_chosen_up_to_the_share_of_each_class() -> None:
    noise = np.random.default_rng(1)
    labels = noise.choice(7, 2000, p=[0.1, 0.02, 0.2, 0.3, 0.2, 0.08, 0.1])
    groups = np.arange(2000)
    groups[1::5] = groups[0::5]  # every fifth face has a twin
    groups = np.unique(groups, return_inverse=True)[1]
    chosen = TOOL["choose"](labels, groups)
    for group in np.unique(groups[chosen]):
        assert chosen[groups == group].all()
    wanted = np.round(0.1 * np.bincount(labels))
    assert_array_equal(np.bincount(labels[chosen], minlength=7), wanted)


def test_a_group_that_would_pass_the_share_is_left_out() -> None:
    labels, groups = np.zeros(20, np.int64), np.repeat([0, 1], [18, 2])
    assert_array_equal(TOOL["choose"](labels, groups), groups == 1)
