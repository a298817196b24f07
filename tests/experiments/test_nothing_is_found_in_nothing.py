"""Where nothing differs, no more is found than chance finds; `make bench ONLY=experiments` does it a thousand times."""

from __future__ import annotations

import numpy as np
import pytest

from tests.experiments.nothing_to_find import chance_to_be_uniform, found_by_peeking, p_values_of_nothing


@pytest.mark.django_db
def test_no_more_is_found_than_chance_finds() -> None:
    """R5, with 50 experiments: uniform, and a twentieth of the p-values below a twentieth (above 8: one in 330)."""
    fixed, always = p_values_of_nothing(experiments=50, people=60)
    assert np.sum(fixed < 0.05) <= 8
    assert np.sum(always < 0.05) <= 3
    assert (always >= fixed).all()
    assert chance_to_be_uniform(fixed) > 0.001


def test_looking_fifty_times_finds_nothing_only_by_the_sequential_test() -> None:
    """R4: 30.9 % and 1.8 % of 4,000 runs; of 400 the standard deviations are 2.3 and 0.7 points."""
    fixed, sequential = found_by_peeking(runs=400)
    assert fixed == pytest.approx(0.309, abs=0.07)
    assert sequential <= 0.05
