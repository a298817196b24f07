"""One score from many sources: the weighted sum of standardised scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from recommender.arrays import FloatArray
from recommender.contracts import Candidates, Query
from recommender.pipeline.stages import Scorer


def as_probability(log_odds: NDArray[np.floating[Any]]) -> FloatArray:
    """Return (n,) float32 in 0..1: the logistic function."""
    return np.asarray(expit(log_odds.astype(np.float64)), dtype=np.float32)


ROUNDING = 4 * float(np.finfo(np.float32).eps)
"""Share of the largest score: a smaller spread is rounding, and standardising it would drown the other sources."""


SCALE = "scale"
"""Where `Query.scratch` has the (mean, standard deviation) that the log-odds have before finer corrections, once a
scorer knows them: the shares of its sources then add up to that deviation."""


class WeightedBlend(Scorer):
    """The weighted mean of z(s), brought to 0..1 by the logistic function: 0.5 is the average candidate.

    z standardises each source's scores over this request's candidates; a candidate that a source does not know gets
    that source's lowest z, or the mean when it is newer than the model: nothing speaks against it yet. Standardising
    by request makes sources of different units comparable without tuning.

    Parameters
    ----------
    weights
        Source name → weight; sources not named do not count.
    """

    name = "weighted_blend"

    def __init__(self, weights: Mapping[str, float]) -> None:
        self.weights = dict(weights)

    def score(self, query: Query, candidates: Candidates) -> FloatArray:
        shares = self.shares(candidates)
        query.scratch[self.name] = shares
        blended = total_of(query, candidates, shares)
        total = sum(abs(self.weights[name]) for name in shares) or 1.0
        return as_probability(blended / total)

    def shares(self, candidates: Candidates) -> dict[str, tuple[float, float]]:
        """Return what one unit of each source's raw score adds (weight / standard deviation), and the source's mean.

        Sources that know none of the candidates, or say the same of all, add nothing and are left out.
        """
        shares = {}
        for name, scores in candidates.source_scores.items():
            if self.weights.get(name, 0.0) == 0.0:
                continue
            finite = np.isfinite(scores)
            known = (scores if finite.all() else scores[finite]).astype(np.float64)
            if not len(known):
                continue
            mean = float(known.mean())
            largest = max(float(known.max()), -float(known.min()))
            known -= mean
            spread = float(np.sqrt(known @ known / len(known)))
            if spread > ROUNDING * largest:
                shares[name] = (self.weights[name] / spread, mean)
        return shares


def total_of(query: Query, candidates: Candidates, shares: Mapping[str, tuple[float, float]]) -> NDArray[np.float64]:
    """Return (n,) what the sources add up to, each by its (factor, mean) of `shares`; see `WeightedBlend`."""
    total = np.zeros(len(candidates), dtype=np.float64)
    newer = False if query.model is None else query.model.row_in_model[candidates.rows] < 0
    for name, (factor, mean) in shares.items():
        scores = candidates.source_scores[name]
        known = np.isfinite(scores)
        if not known.all():
            scores = np.where(known, scores, np.where(newer, mean, scores[known].min()))
        total += factor * (scores.astype(np.float64) - mean)
    return total
