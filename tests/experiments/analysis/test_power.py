from __future__ import annotations

import pytest

from experiments.analysis.power import (
    days_needed,
    users_for_mean,
    users_for_proportion,
)
from experiments.exceptions import AnalysisRefused
from tests.experiments.reference_methods import users_for_proportion_arcsine


def test_ten_to_eleven_percent() -> None:
    """R8."""
    assert users_for_proportion(0.10, 0.11) == pytest.approx(14_748.05, abs=0.005)
    assert users_for_proportion_arcsine(0.10, 0.11) == pytest.approx(14_744.1, abs=0.05)


def test_a_mean_by_hand() -> None:
    """2 (1.959964 + 0.841621)² = 15.69776; half a standard deviation needs four times that."""
    assert users_for_mean(1.0, 1.0) == pytest.approx(15.69776, abs=5e-6)
    assert users_for_mean(10.0, 5.0) == pytest.approx(4 * 15.69776, abs=2e-5)


def test_days_are_whole_and_rounded_up() -> None:
    assert days_needed(14_748.05, arms=2, new_users_a_day=1_000) == 30  # 29,498 users
    assert days_needed(100, arms=2, new_users_a_day=200) == 1
    assert days_needed(100, arms=2, new_users_a_day=200, coverage=0.5) == 2


@pytest.mark.parametrize(("baseline", "treatment"), [(0.1, 0.1), (-0.1, 0.2), (0.5, 1.2)])
def test_impossible_shares_are_refused(baseline: float, treatment: float) -> None:
    with pytest.raises(AnalysisRefused, match=r"Two different shares of 0\.\.1 are needed"):
        users_for_proportion(baseline, treatment)


def test_other_impossible_questions_are_refused() -> None:
    with pytest.raises(AnalysisRefused, match=r"Alpha and power must lie between 0 and 1, got 0 and 0\.8"):
        users_for_proportion(0.1, 0.2, alpha=0)
    with pytest.raises(AnalysisRefused, match="got 0 and 1"):
        users_for_mean(0, 1)
    with pytest.raises(AnalysisRefused, match="got 0, 2 and 1"):
        days_needed(100, arms=2, new_users_a_day=0)
