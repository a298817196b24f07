from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from experiments.analysis.cuped import PairedSample, adjust
from experiments.analysis.sample import Sample
from experiments.analysis.sequential import always_valid, half_width, rho, running_minimum
from experiments.analysis.welch import NO_VARIANCE, compare
from tests.experiments.reference_methods import mixture_p

CONTROL = Sample(n=3407, total=1396.87, total_squares=52377.9767)
TREATMENT = Sample(n=3461, total=2422.7, total_squares=134698.29)


def test_rho() -> None:
    """R4."""
    assert rho(0.05, 5000) == pytest.approx(0.0398400668, abs=5e-11)


@pytest.mark.parametrize(
    ("n", "expected"), [(100, 0.6694389), (1000, 0.1063755), (5000, 0.0429243), (50000, 0.0144974)]
)
def test_half_width(n: int, expected: float) -> None:
    """R4."""
    assert half_width(n, 1.0) == pytest.approx(expected, abs=5.1e-8)


@pytest.mark.parametrize(
    ("n", "expected"), [(100, 0.1959964), (1000, 0.0619795), (5000, 0.0277181), (50000, 0.0087652)]
)
def test_a_fixed_interval_is_narrower_at_any_single_look(n: int, expected: float) -> None:
    """R4: the normal quantile over √n, beside which `half_width` is what looking at any time costs."""
    fixed = float(ndtri(0.975)) * (2 / n) ** 0.5 / 2**0.5
    assert fixed == pytest.approx(expected, abs=5.1e-8)
    assert fixed < half_width(n, 1.0)


def test_with_a_covariate_taken_out() -> None:
    """R4: the sums of gbstats' sequential test of a regression-adjusted metric."""
    control = PairedSample(n=3000, y=1396.87, y_squares=52377.9767, x=16.87, x_squares=527.9767, xy=1)
    treatment = PairedSample(n=3461, y=2422.7, y_squares=134698.29, x=22.7, x_squares=1348.29, xy=1)
    effect = always_valid(*adjust(control, treatment))
    found = (effect.estimate, effect.low, effect.high, effect.standard_error)
    assert found == pytest.approx((0.50338, -0.50969, 1.51646, 0.33341), abs=5.1e-6)


def test_the_interval_is_narrowest_near_the_declared_size() -> None:
    at_100 = [half_width(100, 1.0, tuned_for=planned) for planned in (25, 100, 400)]
    assert at_100[1] == min(at_100)


@pytest.mark.parametrize(("difference", "expected"), [(0.1, 0.30499692), (0.2, 0.00058878), (0.0, 1.0)])
def test_mixture_p(difference: float, expected: float) -> None:
    """R4: V = 2, tau² = 0.01, n = 1,000."""
    assert mixture_p(difference, 1000, 2.0, 0.01) == pytest.approx(expected, abs=5.1e-9)


@given(st.lists(st.floats(0, 1)))
def test_an_always_valid_p_never_rises(p_values: list[float]) -> None:
    smallest = running_minimum(p_values)
    assert smallest == [min(p_values[: look + 1]) for look in range(len(p_values))]


@pytest.mark.parametrize("relative", [True, False])
def test_the_interval_is_wider_than_at_a_fixed_horizon(relative: bool) -> None:
    fixed, always = (test(CONTROL, TREATMENT, relative=relative) for test in (compare, always_valid))
    assert always.estimate == fixed.estimate
    assert always.low < fixed.low < fixed.high < always.high
    assert always.p > fixed.p
    n = CONTROL.n + TREATMENT.n
    assert always.high - always.estimate == pytest.approx(half_width(n, fixed.standard_error * n**0.5))


@given(total=st.floats(100, 4000), alpha=st.floats(0.001, 0.3))
def test_p_is_below_alpha_exactly_when_zero_lies_outside(total: float, alpha: float) -> None:
    effect = always_valid(CONTROL, Sample(n=3461, total=total, total_squares=134698.29), alpha=alpha)
    if abs(effect.p - alpha) > 1e-9:
        assert (effect.p < alpha) == (effect.low > 0 or effect.high < 0)


def test_what_cannot_be_tested_is_said() -> None:
    effect = always_valid(Sample(n=2, total=10, total_squares=20), TREATMENT)
    assert (effect.p, effect.message) == (1.0, NO_VARIANCE)


def test_peeking_is_harmless_only_with_the_sequential_interval() -> None:
    """R4: 4,000 A/A runs, 50 looks at 200 more users an arm: 30.9 % false positives by the fixed interval, 1.8 % by
    the sequential one. An effect of 0.05 standard deviations is found by 97 % and 74 %."""
    random = np.random.default_rng(3)
    runs, looks, step = 4_000, 50, 200
    # The mean of `step` standard normal values is normal with variance 1 / step: no need to draw each.
    steps = random.normal(scale=(2 / step) ** 0.5, size=(runs, looks))
    differences = abs(np.cumsum(steps, axis=1) / np.arange(1, looks + 1))
    users = step * np.arange(1, looks + 1)
    fixed = 1.959964 * np.sqrt(2 / users)
    sequential = np.array([half_width(2 * n, 2.0) for n in users.tolist()])
    assert (differences > fixed).any(1).mean() == pytest.approx(0.309, abs=0.03)
    assert (differences > sequential).any(1).mean() == pytest.approx(0.018, abs=0.009)
    effects = abs(0.05 + np.cumsum(steps, axis=1) / np.arange(1, looks + 1))
    assert (effects > fixed).any(1).mean() == pytest.approx(0.97, abs=0.02)
    assert (effects > sequential).any(1).mean() == pytest.approx(0.74, abs=0.03)
