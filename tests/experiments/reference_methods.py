"""Other ways to the same answers, which published numbers are given for and the site's own ways are compared with."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, ndtri

FloatArray = NDArray[np.float64]
T = TypeVar("T")
Arm = TypeVar("Arm")


def balanced_credit(shown: Sequence[T], rankings: Sequence[Sequence[T]], clicked: Iterable[int]) -> tuple[int, ...]:
    """Return each ranking's clicks in a list interleaved by balance, not by teams (Joachims, 2002), to compare with.

    All rankings are cut where the first of them has the lowest item clicked; what is clicked counts for each ranking
    that has it above its cut.
    """
    items = [shown[position] for position in sorted(set(clicked))]
    if not items:
        return (0,) * len(rankings)
    cut = min(ranking.index(items[-1]) + 1 for ranking in rankings if items[-1] in ranking)
    return tuple(sum(item in ranking[:cut] for item in items) for ranking in rankings)


def winner(of_teams: Sequence[int]) -> int | None:
    """Return the team with the most credit, None for a tie."""
    best = max(of_teams)
    return of_teams.index(best) if of_teams.count(best) == 1 else None


def mean_rewards(rewards: Mapping[Arm, Sequence[float]]) -> dict[Arm, float]:
    """Return the mean reward of each arm, 0 for one without any: what a greedy choice goes by."""
    return {arm: sum(earned) / len(earned) if earned else 0.0 for arm, earned in rewards.items()}


def upper_bounds(successes: FloatArray, trials: FloatArray, alpha: float = 1.0) -> FloatArray:
    """Return (arms,) mean + alpha √(2 ln N / n), N the trials of all arms; inf for an arm without trials."""
    tried = np.maximum(trials, 1)
    spread = np.sqrt(2 * np.log(max(trials.sum(), 1)) / tried)
    bounds: FloatArray = np.where(trials > 0, successes / tried + alpha * spread, np.inf)
    return bounds


def beta_chance_to_win(
    control_successes: int, control_failures: int, treatment_successes: int, treatment_failures: int
) -> float:
    """Return P(treatment > control) for Beta(1 + successes, 1 + failures) posteriors, in closed form.

    Sum over i < a_t of B(a_c + i, b_c + b_t) / ((b_t + i) B(1 + i, b_t) B(a_c, b_c)) (Miller, "Formulas for Bayesian
    A/B testing").
    """
    control_a, control_b = 1 + control_successes, 1 + control_failures
    treatment_a, treatment_b = 1 + treatment_successes, 1 + treatment_failures
    return math.fsum(
        math.exp(
            float(betaln(control_a + i, control_b + treatment_b))
            - math.log(treatment_b + i)
            - float(betaln(1 + i, treatment_b))
            - float(betaln(control_a, control_b))
        )
        for i in range(treatment_a)
    )


def mixture_p(difference: float, n: int, variance: float, tau_squared: float) -> float:
    """Return the mixture sequential probability ratio test's p-value after `n` pairs.

    Parameters
    ----------
    difference
        Mean of the treatment minus the control's.
    variance
        Of one pair's difference (the sum of both arms' variances).
    tau_squared
        Variance of the normal mixture over effects.
    """
    spread = variance + n * tau_squared
    ratio = math.sqrt(variance / spread) * math.exp(n * n * tau_squared * difference**2 / (2 * variance * spread))
    return min(1.0, 1 / ratio)


def users_for_proportion_arcsine(
    baseline: float, treatment: float, *, alpha: float = 0.05, power: float = 0.8
) -> float:
    """Return the users an arm needs by Cohen's size h = 2 asin √p_t - 2 asin √p_c (1988): n = 2 (z + z)² / h²."""
    effect = 2 * math.asin(math.sqrt(treatment)) - 2 * math.asin(math.sqrt(baseline))
    return 2 * float(ndtri(1 - alpha / 2) + ndtri(power)) ** 2 / effect**2
