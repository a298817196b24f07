from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.analysis.srm import SRM_ALPHA, sample_ratio_p
from experiments.exceptions import AnalysisRefused


@pytest.mark.parametrize(
    ("users", "weights", "expected"),
    [
        ([1000, 1200], [0.5, 0.5], 0.000020079),
        ([135, 115], [0.5, 0.5], 0.205903211),
        ([310, 98], [0.75, 0.25], 0.647434186),
        ([1000], [0.5, 0.5], 1),
        ([1000, 1200, 900], [0.5, 0.5, 0], 0.000020079),
        ([0, 0, 0], [0.34, 0.33, 0.33], 1),
        ([500, 500], [0.5, 0.5], 1),
        ([], [], 1),
        ([1000, 1200], [3, 3], 0.000020079),
    ],
)
def test_the_published_cases(users: list[int], weights: list[float], expected: float) -> None:
    """R2."""
    assert sample_ratio_p(users, weights) == pytest.approx(expected, abs=5e-10)


@pytest.mark.parametrize(("users", "weights"), [([-1, 5], [1, 1]), ([5, 5], [1, -1]), ([5, 5], [1, float("nan")])])
def test_impossible_counts_and_weights_are_refused(users: list[int], weights: list[float]) -> None:
    with pytest.raises(AnalysisRefused, match="Counts and weights must be 0 or more"):
        sample_ratio_p(users, weights)


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 10)), min_size=2, max_size=6))
def test_a_paused_arm_never_changes_the_p_value(pairs: list[tuple[int, int]]) -> None:
    users, weights = [pair[0] for pair in pairs], [float(pair[1]) for pair in pairs]
    assert sample_ratio_p([*users, 777], [*weights, 0.0]) == sample_ratio_p(users, weights)


def test_false_alarms_come_as_often_as_promised() -> None:
    """R2: 100,000 fair splits at 0.001: 100 expected, ± 4 standard deviations (200,000 gave 0.000995)."""
    counts = np.random.default_rng(1).binomial(10_000, 0.5, size=100_000)
    alarms = sum(sample_ratio_p([int(count), 10_000 - int(count)], [0.5, 0.5]) < SRM_ALPHA for count in counts)
    assert 60 <= alarms <= 140
