"""What is said of each mapping's worth."""

from __future__ import annotations

import pytest

from roomread.engagement.validity import MEASURED, sentence


def test_what_was_measured_is_told_with_every_set_its_size_and_its_intervals() -> None:
    assert sentence("glance") == (
        "Measured with the models of this version on single pictures of people that it was not fitted on, whose "
        "engagement others had judged: the area under the curve of the lowest levels against the rest and of the "
        "highest level against the rest: WACV 2016 (2,890 pictures, 16 people): 0.91 (0.89 to 0.94) and 0.74 (0.68 to "
        "0.79); DAiSEE (6,787 pictures, 88 people): 0.67 (0.63 to 0.70) and 0.62 (0.58 to 0.64). 0.5 is a coin."
    )


@pytest.mark.parametrize("name", MEASURED)
def test_a_figure_lies_within_its_interval(name: str) -> None:
    for part in MEASURED[name]:
        for value, low, high in (part.lowest, part.highest, part.kappa):
            assert low <= value <= high
