"""Which of several arms to show next, so that what is learnt costs little; and how probable each was.

`Beliefs` are what is known of arms that either succeed or not: Thompson sampling (1933) shows an arm with the
probability that it is the best one, worked out here rather than drawn, so that it can be logged as the propensity.
`LinearBounds` is LinUCB with an arm's own weights (Li et
al., "A contextual-bandit approach to personalized news article recommendation", 2010).

A bandit looks at its results while it chooses: they are no sample of fixed size, and no t-test of them means anything.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaincinv

FloatArray = NDArray[np.float64]

_CUTS = 200
"""Pieces of an arm's distribution that the probability of being best is summed over: within 0.002 of the integral."""


@dataclass(frozen=True, slots=True)
class Beliefs:
    """Beta(1 + successes, 1 + failures) of each arm's rate; both are (arms,)."""

    successes: FloatArray
    failures: FloatArray

    def chances_to_be_best(self) -> FloatArray:
        """Return (arms,) the probability that each arm has the highest rate; they sum to 1.

        P(a is best) = E[Π_{b≠a} F_b(x)] with x of a's own distribution, taken at the middles of `_CUTS` equally
        probable pieces of it.
        """
        a, b = 1 + self.successes, 1 + self.failures
        middles = (np.arange(_CUTS) + 0.5) / _CUTS
        at = betaincinv(a[:, None], b[:, None], middles)
        chances = np.empty(len(a))
        for arm, rates in enumerate(at):
            others = np.arange(len(a)) != arm
            chances[arm] = betainc(a[others, None], b[others, None], rates).prod(axis=0).mean()
        shares: FloatArray = chances / chances.sum()
        return shares

    def means(self) -> FloatArray:
        """Return (arms,) the expected rates, (1 + successes) / (2 + trials)."""
        expected: FloatArray = (1 + self.successes) / (2 + self.successes + self.failures)
        return expected

    def interval(self, probability: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Return the (arms,) lower and upper ends of the central credible intervals of the rates."""
        a, b, outside = 1 + self.successes, 1 + self.failures, (1 - probability) / 2
        return betaincinv(a, b, outside).astype(np.float64), betaincinv(a, b, 1 - outside).astype(np.float64)


@lru_cache(maxsize=10_000)
def best_chances(taken: tuple[int, ...], shown: tuple[int, ...]) -> tuple[float, ...]:
    """Return `Beliefs.chances_to_be_best` of arms taken so often of so many showings: some milliseconds, kept."""
    successes = np.minimum(np.array(taken, dtype=np.float64), np.array(shown, dtype=np.float64))
    return tuple(Beliefs(successes, np.array(shown) - successes).chances_to_be_best().tolist())


def floored(weights: FloatArray, least: float) -> FloatArray:
    """Return probabilities in the order of `weights` (sum 1) of which none is below `least`: f + (1 - n f) w.

    A floor that leaves nothing to share (n f ≥ 1) gives all arms the same; one below 0 is none.
    """
    floor = max(least, 0.0)
    count = len(weights)
    if floor * count >= 1:
        return np.full(count, 1 / count)
    kept: FloatArray = floor + (1 - count * floor) * weights / weights.sum()
    return kept


def best_only(values: FloatArray) -> FloatArray:
    """Return (arms,) the probabilities of a choice of the highest value; equal ones share it."""
    best = values >= values.max() - 1e-12
    chances: FloatArray = best / best.sum()
    return chances


def draw(probabilities: Iterable[float], at: float) -> int:
    """Return the index that a number of [0, 1) falls on, each as often as it is probable."""
    ends = list(accumulate(probabilities))
    return min(bisect(ends, at), len(ends) - 1)


@dataclass(slots=True)
class LinearBounds:
    """An arm's linear guess of the reward from a context, with how sure it is.

    Parameters
    ----------
    features
        Length of a context.
    alpha
        How much being unsure counts; 0 leaves the ridge regression.
    regularization
        Ridge.
    """

    features: int
    alpha: float = 1.0
    regularization: float = 1.0
    _precision: FloatArray = field(init=False, repr=False)
    _earned: FloatArray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._precision = self.regularization * np.eye(self.features)
        self._earned = np.zeros(self.features)

    def learn(self, context: FloatArray, reward: float, times: int = 1) -> None:
        """Take note of a reward, or of the sum of so many; `context` is (features,)."""
        self._precision += times * np.outer(context, context)
        self._earned += reward * context

    def bounds(self, contexts: FloatArray) -> FloatArray:
        """Return (n,) x·θ + alpha √(xᵀ A⁻¹ x) of (n, features) contexts, with θ = A⁻¹ Σ r x and A = λI + Σ x xᵀ."""
        solved = np.linalg.solve(self._precision, np.column_stack([contexts.T, self._earned]))
        directions, theta = solved[:, :-1], solved[:, -1]
        spread = np.sqrt(np.einsum("nf,fn->n", contexts, directions))
        found: FloatArray = contexts @ theta + self.alpha * spread
        return found
