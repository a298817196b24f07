from __future__ import annotations

import pytest

from experiments.analysis.bayesian import Prior, expected_gain_and_loss, posterior
from experiments.analysis.sample import Sample
from experiments.analysis.welch import TOO_FEW
from tests.experiments.reference_methods import beta_chance_to_win

CONTROL = Sample(n=10, total=100, total_squares=1002.25)
TREATMENT = Sample(n=10, total=105, total_squares=1111.5)


def test_two_shares() -> None:
    """R7."""
    found = posterior(Sample.of_proportion(100, 49), Sample.of_proportion(100, 51))
    assert (found.estimate, found.low, found.high) == pytest.approx((0.04082, -0.24779, 0.32943), abs=5.1e-6)
    assert (found.chance_to_win, found.risk_of_control, found.risk_of_treatment) == pytest.approx(
        (0.60918, 0.0814, 0.04058), abs=5.1e-6
    )


def test_two_means() -> None:
    """R7."""
    found = posterior(CONTROL, TREATMENT)
    assert (found.estimate, found.low, found.high) == pytest.approx((0.05, -0.02, 0.12), abs=5.1e-6)
    assert (found.chance_to_win, found.risk_of_control, found.risk_of_treatment) == pytest.approx(
        (0.91923, 0.05131, 0.00131), abs=5.1e-6
    )


def test_a_prior_pulls_the_estimate() -> None:
    """R7."""
    found = posterior(CONTROL, TREATMENT, prior=Prior(mean=0.1, variance=0.1))
    assert (found.estimate, found.chance_to_win) == pytest.approx((0.05063, 0.92315), abs=5.1e-6)


def test_nothing_seen_means_an_even_chance() -> None:
    """R7."""
    found = posterior(Sample.of_proportion(0, 0), Sample.of_proportion(0, 0))
    assert (found.chance_to_win, found.message) == (0.5, TOO_FEW)


@pytest.mark.parametrize(
    ("mean", "deviation", "gain", "loss"),
    [(0.1, 0.05, 0.1004245351, 0.0004245351), (0.01, 4.5e-9, 0.01, 0.0), (-0.01, 4.5e-9, 0.0, 0.01)],
)
def test_expected_gain_and_loss(mean: float, deviation: float, gain: float, loss: float) -> None:
    """R7."""
    assert expected_gain_and_loss(mean, deviation) == pytest.approx((gain, loss), abs=5.1e-11)


def test_beta_chance_to_win() -> None:
    """R7: P(Beta(21, 81) > Beta(16, 86))."""
    assert beta_chance_to_win(15, 85, 20, 80) == pytest.approx(0.8209428481, abs=5.1e-11)
    assert beta_chance_to_win(0, 0, 0, 0) == pytest.approx(0.5)
