"""What another policy would have earned, estimated from what one policy showed and how probable that was.

Each row is one decision: what it earned (reward), how probable the policy that made it had made it (propensity), and
how probable the other one would have made it (target). Doubly robust estimators also take a model's expectation of the
reward (`expected_rewards`). Horvitz and Thompson (1952); Swaminathan and Joachims, "The self-normalized estimator for
counterfactual learning" (2015); Dudík et al., "Doubly robust policy evaluation and optimization" (2014).

Intervals are normal ones of each estimator's influence values, summed up by person where it is said whose each row is.
They say nothing of a model that is wrong: that of `direct_method` is narrow around the model's error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from experiments.exceptions import AnalysisRefused

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LEAST_EFFECTIVE_ROWS = 100
"""Below, a few rows of large weight decide, and the interval is as wrong as the estimate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """Logged decisions, one a row; every array is (n,) float64."""

    rewards: FloatArray
    propensities: FloatArray
    """0..1, of what was shown, by the policy that showed it; nan where it was not logged."""
    target: FloatArray
    """0..1, of the same, by the policy that is asked about."""
    expected: FloatArray | None = None
    """The model's expectation of the reward of what was shown."""
    expected_of_target: FloatArray | None = None
    """The model's expectation of what the other policy would show: its mean over that policy's probabilities."""
    units: IntArray | None = None
    """(n,) whose each row is, 0 and up: rows of one person are not independent. None: each row is somebody else's."""

    @property
    def weights(self) -> FloatArray:
        """How much each row counts for the other policy."""
        return self.target / self.propensities

    @property
    def covered(self) -> float:
        """Share of what the other policy would show that could have been shown: the mean weight."""
        return float(self.weights.mean())


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What the other policy would have earned a decision."""

    value: float
    low: float
    high: float
    standard_error: float
    effective_rows: float
    """(Σw)² / Σw²: rows of equal weight that would say as much."""


Estimator = Callable[[Decisions], tuple[float, FloatArray]]
"""Returns the value and each row's influence on it, (n,), of mean 0."""


def inverse_propensity(decisions: Decisions, clip: float = math.inf) -> tuple[float, FloatArray]:
    """Return mean(w r). Unbiased; weights above `clip` are cut to it, which trades variance for bias."""
    earned = np.minimum(decisions.weights, clip) * decisions.rewards
    value = float(earned.mean())
    return value, earned - value


def self_normalized(decisions: Decisions) -> tuple[float, FloatArray]:
    """Return Σ w r / Σ w: a little biased, of far less variance, and never outside the rewards' range."""
    weights = decisions.weights
    value = float(weights @ decisions.rewards / weights.sum())
    return value, weights * (decisions.rewards - value) / weights.mean()


def direct_method(decisions: Decisions) -> tuple[float, FloatArray]:
    """Return the model's expectation of the other policy: as right as the model is."""
    _, of_target = _model(decisions)
    value = float(of_target.mean())
    return value, of_target - value


def doubly_robust(decisions: Decisions) -> tuple[float, FloatArray]:
    """Return the model's expectation, corrected by its weighted errors: right if the model or the propensities are."""
    expected, of_target = _model(decisions)
    earned = of_target + decisions.weights * (decisions.rewards - expected)
    value = float(earned.mean())
    return value, earned - value


def self_normalized_doubly_robust(decisions: Decisions) -> tuple[float, FloatArray]:
    """Return the same with the correction divided by the weights' sum."""
    expected, of_target = _model(decisions)
    weights, errors = decisions.weights, decisions.rewards - expected
    correction = float(weights @ errors / weights.sum())
    value = float(of_target.mean()) + correction
    return value, of_target - of_target.mean() + weights * (errors - correction) / weights.mean()


ESTIMATORS: Mapping[str, Estimator] = {
    "doubly robust": doubly_robust,
    "doubly robust, self-normalised": self_normalized_doubly_robust,
    "by propensity": inverse_propensity,
    "by propensity, self-normalised": self_normalized,
    "by the model alone": direct_method,
}
"""What each is called; the first is right if either the model or the propensities are."""


def estimate(decisions: Decisions, estimator: Estimator = self_normalized, *, alpha: float = 0.05) -> Estimate:
    """Return what the other policy would have earned a decision, with its 1 - alpha interval.

    Raises
    ------
    AnalysisRefused
        There are no rows; a propensity is missing, 0, or no probability; the model's expectations are needed and
        missing; or the effective number of rows is below `LEAST_EFFECTIVE_ROWS`.
    """
    effective = _enough(decisions)
    value, influence = estimator(decisions)
    return _around(value, influence, decisions.units, effective, alpha)


def difference(
    before: Decisions, after: Decisions, estimator: Estimator = self_normalized, *, alpha: float = 0.05
) -> Estimate:
    """Return what one policy would have earned more than another a decision, of the same rows in the same order.

    What both would show alike adds nothing to the interval.

    Raises
    ------
    AnalysisRefused
        As `estimate`, for either.
    """
    effective = min(_enough(before), _enough(after))
    (earlier, of_before), (later, of_after) = estimator(before), estimator(after)
    return _around(later - earlier, of_after - of_before, after.units, effective, alpha)


def _enough(decisions: Decisions) -> float:
    _refuse_broken(decisions)
    effective = effective_rows(decisions.weights)
    if effective < LEAST_EFFECTIVE_ROWS:
        raise AnalysisRefused(
            f"{len(decisions.rewards):,} rows say as much of this policy as {effective:.0f} would; "
            f"{LEAST_EFFECTIVE_ROWS} are needed. It shows what was hardly ever shown."
        )
    return effective


def _around(value: float, influence: FloatArray, units: IntArray | None, effective: float, alpha: float) -> Estimate:
    summed = influence if units is None else np.bincount(units, weights=influence)
    error = float(np.sqrt(summed @ summed)) / len(influence)
    margin = float(ndtri(1 - alpha / 2)) * error
    return Estimate(
        value=value, low=value - margin, high=value + margin, standard_error=error, effective_rows=effective
    )


def effective_rows(weights: FloatArray) -> float:
    """Return Kish's effective sample size (Σw)² / Σw²; 0 when every weight is."""
    squares = float(weights @ weights)
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def _refuse_broken(decisions: Decisions) -> None:
    propensities, n = decisions.propensities, len(decisions.rewards)
    if not n:
        raise AnalysisRefused("There are no rows.")
    missing = int(np.isnan(propensities).sum())
    if missing:
        raise AnalysisRefused(f"{missing} of {n} rows have no propensity: how probable they were is not known.")
    zero = int((propensities == 0).sum())
    if zero:
        raise AnalysisRefused(f"{zero} of {n} rows have the propensity 0, so they could not have been shown.")
    for name, values in (("propensity", propensities), ("target", decisions.target)):
        wrong = ~((values >= 0) & (values <= 1))
        if wrong.any():
            raise AnalysisRefused(f"A {name} must lie within 0 to 1, not {values[wrong][0]}.")


def _model(decisions: Decisions) -> tuple[FloatArray, FloatArray]:
    if decisions.expected is None or decisions.expected_of_target is None:
        raise AnalysisRefused("This estimator needs a model's expectation of the rewards.")
    return decisions.expected, decisions.expected_of_target
