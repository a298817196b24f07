"""Sample-ratio mismatch: did the arms get the shares of units they were meant to get?

Pearson's chi-squared test of the counts against the weights. A mismatch means that assignment, exposure logging or the
joins lose units of one arm; no effect can be believed then.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy.special import chdtrc

from experiments.exceptions import AnalysisRefused

SRM_ALPHA = 0.001
"""Looked at daily over many experiments, 0.05 would cry wolf every week; GrowthBook's threshold."""

SRM_MINIMUM_USERS = 8
"""Expected units an arm below which the chi-squared approximation is not relied on (GrowthBook's)."""


def sample_ratio_p(users: Sequence[int], weights: Sequence[float]) -> float:
    """Return the p-value of the counts given the weights; 1.0 when there is nothing to compare.

    Parameters
    ----------
    users
        Units of each arm.
    weights
        Intended shares, relative, in the same order. Arms of weight 0 (paused) are left out with their units; so are
        weights beyond the last count.

    Raises
    ------
    AnalysisRefused
        For a negative count or weight, or one that is not finite.
    """
    pairs = list(zip(users, weights, strict=False))
    if any(not math.isfinite(value) or value < 0 for pair in pairs for value in pair):
        raise AnalysisRefused(f"Counts and weights must be 0 or more, got {pairs!r}.")
    taking_part = [(count, weight) for count, weight in pairs if weight > 0]
    total_users = sum(count for count, _ in taking_part)
    total_weight = sum(weight for _, weight in taking_part)
    if len(taking_part) < 2 or total_users == 0:
        return 1.0
    statistic = 0.0
    for count, weight in taking_part:
        expected = total_users * weight / total_weight
        statistic += (count - expected) ** 2 / expected
    return float(chdtrc(len(taking_part) - 1, statistic))
