from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtr

from experiments.analysis import welch
from experiments.analysis.sample import Effect, Sample
from experiments.analysis.welch import compare

CONTROL = Sample(n=3407, total=1396.87, total_squares=52377.9767)
SMALLER_CONTROL = Sample(n=3000, total=1396.87, total_squares=52377.9767)
TREATMENT = Sample(n=3461, total=2422.7, total_squares=134698.29)


def sample(values: list[float]) -> Sample:
    return Sample(n=len(values), total=sum(values), total_squares=sum(value * value for value in values))


@pytest.mark.parametrize(
    ("relative", "estimate", "low", "high", "standard_error", "p"),
    [(True, 0.70732, -0.03526, 1.44989, 0.37879, 0.06191), (False, 0.29, 0.04538, 0.53462, 0.12478, 0.02016)],
)
def test_two_sided(relative: bool, estimate: float, low: float, high: float, standard_error: float, p: float) -> None:
    """R3."""
    effect = compare(CONTROL, TREATMENT, relative=relative)
    found = (effect.estimate, effect.low, effect.high, effect.standard_error, effect.p)
    assert found == pytest.approx((estimate, low, high, standard_error, p), abs=5.1e-6)
    assert effect.message == ""


@pytest.mark.parametrize(("relative", "low", "p"), [(True, -0.04514, 0.06558), (False, 0.02079, 0.03554)])
def test_one_sided_greater(relative: bool, low: float, p: float) -> None:
    """R3."""
    effect = compare(SMALLER_CONTROL, TREATMENT, relative=relative, alternative="greater")
    assert (effect.low, effect.p) == pytest.approx((low, p), abs=5.1e-6)
    assert effect.high == math.inf


def test_one_sided_less_mirrors_greater() -> None:
    greater = compare(CONTROL, TREATMENT, relative=False, alternative="greater")
    less = compare(TREATMENT, CONTROL, relative=False, alternative="less")
    assert (less.p, less.high, less.low) == pytest.approx((greater.p, -greater.low, -math.inf))


@pytest.mark.parametrize(("control", "treatment", "expected"), [(-10, -5, 0.5), (-10, -15, -0.5), (-2, 3, 2.5)])
def test_a_negative_baseline_keeps_the_direction(control: float, treatment: float, expected: float) -> None:
    """R3."""
    effect = compare(sample([control - 1, control + 1]), sample([treatment - 1, treatment + 1]))
    assert effect.estimate == pytest.approx(expected)


@pytest.mark.parametrize(
    ("control", "treatment", "message"),
    [
        (Sample(n=2, total=10, total_squares=20), sample([1, 2]), welch.NO_VARIANCE),
        (sample([0.1] * 3), sample([0.2] * 7), welch.NO_VARIANCE),
        (sample([0, 0]), sample([0, 0]), welch.NO_VARIANCE),
        (sample([]), sample([1, 2]), welch.TOO_FEW),
        (sample([1, 2]), sample([1]), welch.TOO_FEW),
        (sample([-1, 1]), sample([1, 2]), welch.NO_BASELINE),
    ],
)
def test_what_cannot_be_tested_is_said(control: Sample, treatment: Sample, message: str) -> None:
    """R3."""
    assert compare(control, treatment) == Effect(
        estimate=0.0, low=0.0, high=0.0, standard_error=0.0, p=1.0, message=message
    )


def test_a_zero_baseline_still_has_an_absolute_difference() -> None:
    assert compare(sample([-1, 1]), sample([1, 3]), relative=False).estimate == 2.0


def test_a_proportion_has_the_binomial_variance() -> None:
    assert Sample.of_proportion(100, 49).variance == pytest.approx(0.2499)
    assert Sample.of_proportion(1, 1).variance == 0


values = st.lists(st.floats(0.5, 100), min_size=3, max_size=20).filter(lambda drawn: max(drawn) - min(drawn) > 0.01)


@given(control=values, treatment=values, factor=st.floats(0.1, 10))
def test_a_relative_effect_does_not_depend_on_the_unit(
    control: list[float], treatment: list[float], factor: float
) -> None:
    one = compare(sample(control), sample(treatment))
    other = compare(sample([factor * v for v in control]), sample([factor * v for v in treatment]))
    assert (other.estimate, other.low, other.p) == pytest.approx((one.estimate, one.low, one.p), rel=1e-5, abs=1e-7)


@given(control=values, treatment=values, alpha=st.floats(0.001, 0.5))
def test_p_is_below_alpha_exactly_when_zero_lies_outside(
    control: list[float], treatment: list[float], alpha: float
) -> None:
    effect = compare(sample(control), sample(treatment), alpha=alpha, relative=False)
    if abs(effect.p - alpha) > 1e-9:
        assert (effect.p < alpha) == (effect.low > 0 or effect.high < 0)


def _p_of_differences(control: Any, treatment: Any) -> Any:
    """Vectorised Welch p-values over rows; checked against `compare` below."""
    parts = [values.var(axis=1, ddof=1) / values.shape[1] for values in (control, treatment)]
    freedom = sum(parts) ** 2 / sum(part**2 / (control.shape[1] - 1) for part in parts)
    return 2 * stdtr(freedom, -abs(treatment.mean(1) - control.mean(1)) / np.sqrt(sum(parts)))


def test_one_in_twenty_null_experiments_is_significant_at_a_twentieth() -> None:
    """R5: 20,000 A/A experiments of 200 normal values an arm: 4.5 % … 5.5 % (3.3 standard deviations)."""
    random = np.random.default_rng(5)
    significant = 0
    for _ in range(20):
        control, treatment = random.normal(size=(2, 1_000, 200))
        p = _p_of_differences(control, treatment)
        significant += int((p < 0.05).sum())
    assert 900 <= significant <= 1100
    last = compare(sample(control[-1].tolist()), sample(treatment[-1].tolist()), relative=False)
    assert last.p == pytest.approx(p[-1])


def test_one_in_twenty_null_experiments_of_shares_is_significant_at_a_twentieth() -> None:
    """R5: 20,000 A/A experiments of two shares of 0.05, 2,000 users an arm: 4.5 % … 5.5 %."""
    successes = np.random.default_rng(6).binomial(2_000, 0.05, size=(20_000, 2))
    p = [
        compare(Sample.of_proportion(2_000, int(a)), Sample.of_proportion(2_000, int(b)), relative=False).p
        for a, b in successes
    ]
    assert 0.045 <= np.mean(np.array(p) < 0.05) <= 0.055
