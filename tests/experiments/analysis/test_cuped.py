from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.analysis.cuped import PairedSample, adjust, paired_sample, theta
from experiments.analysis.welch import compare
from experiments.exceptions import AnalysisRefused

FloatArray = NDArray[np.float64]


def before(outcome: FloatArray, covariate: FloatArray) -> PairedSample:
    n = len(outcome)
    return paired_sample(outcome, covariate, observed_until=np.full(n, 99.0), exposed_at=np.full(n, 100.0))


def test_adjusted_sums_by_hand() -> None:
    """Both arms: y = 2x exactly within an arm, so theta = 2 and nothing but the arms' levels is left."""
    control = before(np.array([2.0, 4.0, 6.0]), np.array([1.0, 2.0, 3.0]))
    treatment = before(np.array([5.0, 7.0, 9.0]), np.array([1.0, 2.0, 3.0]))
    assert theta(control, treatment) == 2.0
    first, second = adjust(control, treatment)
    assert (first.mean, first.variance) == (4.0, 0.0)
    assert (second.mean, second.variance) == (7.0, 0.0)


def test_adjusted_sums_equal_those_of_adjusted_values() -> None:
    random = np.random.default_rng(1)
    x, y = random.normal(size=(2, 2, 50))
    arms = [before(y[arm], x[arm]) for arm in (0, 1)]
    slope = theta(*arms)
    for arm, sample in enumerate(adjust(arms[0], arms[1])):
        values = y[arm] - slope * (x[arm] - x.mean())
        assert sample.mean == pytest.approx(values.mean())
        assert sample.variance == pytest.approx(values.var(ddof=1))


@pytest.mark.parametrize("correlation", [0.3, 0.5, 0.7, 0.9])
def test_the_variance_falls_to_one_minus_the_squared_correlation(correlation: float) -> None:
    """R6."""
    random = np.random.default_rng(2)
    x, noise = random.normal(size=(2, 2, 20_000))
    y = correlation * x + (1 - correlation**2) ** 0.5 * noise
    adjusted = adjust(before(y[0], x[0]), before(y[1], x[1]))
    ratio = (adjusted[0].variance + adjusted[1].variance) / (y[0].var(ddof=1) + y[1].var(ddof=1))
    assert ratio == pytest.approx(1 - correlation**2, abs=0.01)


def test_a_covariate_without_variance_changes_nothing() -> None:
    control, treatment = np.array([1.0, 2.0, 4.0]), np.array([2.0, 3.0, 7.0])
    adjusted = adjust(before(control, np.ones(3)), before(treatment, np.ones(3)))
    assert [sample.mean for sample in adjusted] == [control.mean(), treatment.mean()]
    assert compare(*adjusted).message == ""


def test_a_covariate_observed_after_exposure_is_refused() -> None:
    """R6."""
    ones = np.ones(3)
    with pytest.raises(AnalysisRefused, match="covariate of 2 of 3 units was observed after their exposure"):
        paired_sample(
            ones, ones, observed_until=np.array([100.0, 99.0, 250.0]), exposed_at=np.array([100.0, 100.0, 200.0])
        )


def test_units_with_nothing_observed_are_fine() -> None:
    sample = paired_sample(
        np.array([1.0]), np.array([0.0]), observed_until=np.array([np.nan]), exposed_at=np.array([100.0])
    )
    assert sample == PairedSample(n=1, y=1.0, y_squares=1.0, x=0.0, x_squares=0.0, xy=0.0)
