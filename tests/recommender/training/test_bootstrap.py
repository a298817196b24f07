from __future__ import annotations

from math import nan, sqrt

import numpy as np
import pytest

from recommender.training.bootstrap import Intervals, intervals


def as_lists(found: Intervals) -> tuple[list[float], list[float], list[float]]:
    return found.mean.tolist(), found.low.tolist(), found.high.tolist()


def test_all_alike_leave_no_doubt() -> None:
    assert as_lists(intervals(np.full((5, 2), 0.25))) == ([0.25, 0.25], [0.25, 0.25], [0.25, 0.25])


def test_two_users_by_hand() -> None:
    """Draws of 0 and 1 have the means 0, ½ and 1 in a quarter, a half and a quarter of all cases."""
    values = np.array([[0.0], [1.0]])
    assert as_lists(intervals(values)) == ([0.5], [0.0], [1.0])
    assert as_lists(intervals(values, confidence=0.4)) == ([0.5], [0.5], [0.5])


def test_the_interval_is_as_wide_as_theory_says() -> None:
    """Half of 400 users: a standard error of √(¼ / 400) = 0.025, and 1.96 of it to either side."""
    found = intervals(np.repeat([0.0, 1.0], 200)[:, None])
    error = sqrt(0.25 / 400)
    assert found.low[0] == pytest.approx(0.5 - 1.96 * error, abs=0.2 * error)
    assert found.high[0] == pytest.approx(0.5 + 1.96 * error, abs=0.2 * error)


def test_a_figure_that_is_not_there_is_left_out() -> None:
    found = intervals(np.array([[1.0, nan], [nan, nan], [3.0, nan]]))
    assert as_lists(found) == (
        pytest.approx([2.0, nan], nan_ok=True),
        pytest.approx([1.0, nan], nan_ok=True),
        pytest.approx([3.0, nan], nan_ok=True),
    )


def test_nobody_has_no_figures() -> None:
    assert as_lists(intervals(np.empty((0, 1)))) == tuple([pytest.approx([nan], nan_ok=True)] * 3)


def test_columns_see_the_same_users_and_a_seed_draws_them_again() -> None:
    values = np.random.default_rng(1).random((30, 1))
    both = intervals(np.hstack([values, values]))
    assert both.low[0] == both.low[1]
    assert as_lists(intervals(values)) == as_lists(intervals(values))
    assert as_lists(intervals(values, seed=1)) != as_lists(intervals(values))


@pytest.mark.parametrize("resamples", [1, 49, 50, 51])
def test_any_number_of_resamples_will_do(resamples: int) -> None:
    assert as_lists(intervals(np.ones((3, 1)), resamples=resamples)) == ([1.0], [1.0], [1.0])
