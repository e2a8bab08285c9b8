"""What is said of each mapping's worth."""

from __future__ import annotations

import pytest

from roomread.engagement.validity import MEASURED, sentence


def test_what_was_measured_is_told_with_every_set_its_size_and_its_intervals() -> None:
    assert sentence("smart-lms") == (
        "Measured with the models of this version on single pictures of people that it was not fitted on, whose "
        "engagement others had judged: the area under the curve of the lowest levels against the rest and of the "
        "highest level against the rest: WACV 2016 (2,881 pictures, 16 people): 0.40 (0.35 to 0.46) and 0.49 (0.43 to "
        "0.54); DAiSEE (6,787 pictures, 88 people): 0.52 (0.46 to 0.57) and 0.53 (0.50 to 0.56). 0.5 is a coin."
    )


def test_of_what_was_not_measured_that_is_said() -> None:
    assert sentence("another") == "Nothing was measured of it."


@pytest.mark.parametrize("name", MEASURED)
def test_a_figure_lies_within_its_interval(name: str) -> None:
    for part in MEASURED[name]:
        for value, low, high in (part.lowest, part.highest, part.kappa):
            assert low <= value <= high
