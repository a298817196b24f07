"""From what holds for somebody new to what he does himself: the two are mixed by how much he has done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.arrays import FloatArray, RowArray
from recommender.contracts import Candidates, Query
from recommender.pipeline.stages import Scorer, Without
from recommender.scorers.weighted_blend import ROUNDING, SCALE, WeightedBlend, as_probability, total_of

SMALLEST = 1e-7
"""Scores are kept this far from 0 and 1, whose log-odds are infinite."""
Shares = Mapping[str, tuple[float, float]]
"""Source → what one unit of its score adds, and its mean."""


class ColdStart(Scorer):
    """p · z(score so far) + (1 − p) · z(prior), on the scale of the score so far; p = n / (n + events).

    n is the number of items of the history, of which none counts more than 1 and one merely looked at less; the prior
    is the weighted blend of the sources that need no history. With `events` = 1 the mix costs a user with one event or
    more nothing on MovieLens latest-small, and one with ten nearly leaves the prior (1/11): at n = 1, 3 and 10 NDCG@10
    was 0.107, 0.134 and 0.152, the best of all mixtures 0.109, 0.136 and 0.153.

    Runs after the scorer of the others. Where no source of the prior is enabled, nothing changes.

    Parameters
    ----------
    weights
        Source name → weight in the prior.
    events
        History items after which the two count alike.
    """

    name = "cold_start"

    def __init__(self, weights: Mapping[str, float], events: float = 1.0) -> None:
        if events <= 0:
            raise ValueError(f"events must be above 0, not {events!r}")
        self._prior = WeightedBlend(weights)
        self.events = events

    def score(self, query: Query, candidates: Candidates) -> FloatArray:
        prior = self._prior.shares(candidates)
        if not prior:
            return candidates.score
        log_odds, personal = _log_odds(candidates.score), self._personal(query)
        stated, sigma_prior = _standardised(total_of(query, candidates, prior))
        level, sigma = query.scratch.get(SCALE) or _scale(log_odds)
        _mix_shares(query, candidates, prior, personal, (1 - personal) * sigma / sigma_prior)
        # On the scale that the score had, so that a learned ranker's probabilities stay what they are.
        return as_probability(level + personal * (log_odds - level) + (1 - personal) * sigma * stated)

    def scores_without(
        self, reduced: Sequence[Without], candidates: Sequence[Candidates], shown: RowArray
    ) -> list[FloatArray]:
        mixed, stated_of = [], dict[tuple[int, ...], NDArray[np.float64]]()
        for one, scored in zip(reduced, candidates, strict=True):
            # Sources that read no history gave the same arrays for all of them.
            told = tuple(id(scored.source_scores.get(name)) for name in self._prior.weights)
            if told not in stated_of:
                prior = self._prior.shares(scored)
                stated_of[told] = _standardised(total_of(one.query, scored, prior))[0] if prior else np.empty(0)
            stated, personal = stated_of[told], self._personal(one.query)
            if not len(stated):
                mixed.append(scored.score)
                continue
            log_odds = _log_odds(scored.score)
            level, sigma = one.query.scratch.get(SCALE) or _scale(log_odds)
            mixed.append(as_probability(level + personal * (log_odds - level) + (1 - personal) * sigma * stated))
        return mixed

    def _personal(self, query: Query) -> float:
        n = float(np.minimum(query.history.weights, 1.0).sum())
        return n / (n + self.events)


def _log_odds(score: FloatArray) -> NDArray[np.float64]:
    """Return (n,) float64, of what has no score yet the lowest."""
    inside = np.clip(score.astype(np.float64), SMALLEST, 1 - SMALLEST)
    log_odds = np.log(inside / (1 - inside))
    known = np.isfinite(log_odds)
    return log_odds if known.all() else np.where(known, log_odds, log_odds[known].min() if known.any() else 0.0)


def _scale(log_odds: NDArray[np.float64]) -> tuple[float, float]:
    """Return mean and deviation."""
    return (float(log_odds.mean()) if len(log_odds) else 0.0), _standardised(log_odds)[1]


def _mix_shares(query: Query, candidates: Candidates, prior: Shares, personal: float, prior_factor: float) -> None:
    """Let the explanations see what each source adds now: the mix is as linear as its two parts."""
    so_far: Shares = query.scratch.get(WeightedBlend.name, {})
    if SCALE not in query.scratch:
        # Without a scale of their own they add up to another deviation than the log-odds have.
        _, sigma = _scale(_log_odds(candidates.score))
        personal *= sigma / (_standardised(total_of(query, candidates, so_far))[1] if so_far else 1.0)
    mixed = {name: (personal * factor, mean) for name, (factor, mean) in so_far.items()}
    for name, (factor, mean) in prior.items():
        mixed[name] = (mixed.get(name, (0.0, mean))[0] + prior_factor * factor, mean)
    query.scratch[WeightedBlend.name] = {name: share for name, share in mixed.items() if share[0] > 0}


def _standardised(scores: NDArray[np.floating[Any]]) -> tuple[NDArray[np.float64], float]:
    """Return the scores with mean 0 and deviation 1 (what is not known as the lowest), and the deviation they had."""
    finite = np.isfinite(scores)
    if not finite.any():
        return np.zeros(len(scores)), 1.0
    filled = scores.astype(np.float64)
    if not finite.all():
        filled[~finite] = scores[finite].min()
    largest = max(float(filled.max()), -float(filled.min()))
    filled -= filled.mean()
    spread = float(np.sqrt(filled @ filled / len(filled)))
    if spread <= ROUNDING * largest:
        return np.zeros(len(scores)), 1.0
    return filled / spread, spread
