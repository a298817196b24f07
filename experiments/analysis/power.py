"""How many users an experiment needs, and how long that takes."""

from __future__ import annotations

import math

from scipy.special import ndtri

from experiments.analysis.sample import Sample
from experiments.exceptions import AnalysisRefused


def users_for_proportion(baseline: float, treatment: float, *, alpha: float = 0.05, power: float = 0.8) -> float:
    """Return the users an arm needs to tell two shares apart (two-sided z-test, variances unpooled).

    n = (z_{1-alpha/2} + z_power)² (p_c (1-p_c) + p_t (1-p_t)) / (p_t - p_c)²; round it up.

    Raises
    ------
    AnalysisRefused
        The shares are equal or not within 0..1, or alpha or power not within (0, 1).
    """
    if not (0 <= baseline <= 1 and 0 <= treatment <= 1) or baseline == treatment:
        raise AnalysisRefused(f"Two different shares of 0..1 are needed, got {baseline} and {treatment}.")
    spread = baseline * (1 - baseline) + treatment * (1 - treatment)
    return _quantiles(alpha, power) ** 2 * spread / (treatment - baseline) ** 2


def users_for_mean(standard_deviation: float, difference: float, *, alpha: float = 0.05, power: float = 0.8) -> float:
    """Return the users an arm needs to see an absolute `difference` of means: n = 2 (z + z)² sd² / difference²."""
    if not (standard_deviation > 0 and difference != 0):
        raise AnalysisRefused(
            f"A standard deviation above 0 and a difference are needed, got {standard_deviation} and {difference}."
        )
    return 2 * _quantiles(alpha, power) ** 2 * (standard_deviation / difference) ** 2


def users_for(control: Sample, effect: float, *, alpha: float) -> float | None:
    """Return the users an arm needs to find a relative change by `effect` of what a sample shows, with a power of 0.8.

    None where the sample says nothing: its mean is 0 or less, its values are all alike, or the share would pass 1.
    """
    if control.mean <= 0 or control.variance <= 0:
        return None
    if not control.is_proportion:
        return users_for_mean(math.sqrt(control.variance), effect * control.mean, alpha=alpha)
    changed = (1 + effect) * control.mean
    return users_for_proportion(control.mean, changed, alpha=alpha) if changed <= 1 else None


def days_needed(users_an_arm: float, arms: int, new_users_a_day: float, coverage: float = 1.0) -> int:
    """Return the whole days until every arm has its users, when so many new users a day come to the placement."""
    if not (new_users_a_day > 0 and 0 < coverage <= 1 and arms > 0):
        raise AnalysisRefused(
            f"Users a day and arms above 0 and a coverage of 0..1 are needed, "
            f"got {new_users_a_day}, {arms} and {coverage}."
        )
    return math.ceil(math.ceil(users_an_arm) * arms / (new_users_a_day * coverage))


def _quantiles(alpha: float, power: float) -> float:
    if not (0 < alpha < 1 and 0 < power < 1):
        raise AnalysisRefused(f"Alpha and power must lie between 0 and 1, got {alpha} and {power}.")
    return float(ndtri(1 - alpha / 2) + ndtri(power))
