"""Why an item stands in a list: the source that contributed most, and the history item behind the score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recommender.arrays import FloatArray, RowArray
from recommender.contracts import Candidates, Query
from recommender.pipeline.counterfactuals import Counterfactuals
from recommender.pipeline.recipes import Recipe
from recommender.pipeline.runner import RANKED

TESTED = 5
"""History items that are tried as reasons of one list, together: each costs a scoring of its candidates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The reason of one item."""

    source: str
    """Name of the source that lifted the item most above the average candidate, or "rule" for a pin."""
    because_of: int | None
    """Row of the seed, or of the history item that adds most to the blend and without which the score is lower; None
    when none proved to be."""
    share: float
    """What it, or what adds most, is of all that the history added, 0..1; 0 when the history added nothing."""


def explain(recipe: Recipe, query: Query, candidates: Candidates) -> list[Explanation]:
    """Return one explanation for each candidate, from the very numbers that ranked it.

    Every history-based source is linear in the history, so the blend splits exactly:
    Σ over sources of weight/σ · contribution(history item, candidate).
    """
    shares: dict[str, tuple[float, float]] = query.scratch.get("weighted_blend", {})
    if not shares:
        # A single candidate, or candidates that no source tells apart: what was added to all of them is the reason.
        shares = {slot.source.name: (slot.weight, 0.0) for slot in recipe.sources}
    parts = np.zeros((len(query.basis), len(candidates)), dtype=np.float32)
    lift: dict[str, FloatArray] = {}
    by_name = {slot.source.name: slot.source for slot in recipe.sources}
    for column, (factor, mean) in shares.items():
        name = column.partition(".")[0]
        if name not in by_name or column not in candidates.source_scores:
            continue
        scores = candidates.source_scores[column]
        lifted = np.where(np.isfinite(scores), factor * (scores - mean), -np.inf).astype(np.float32)
        lift[name] = lift[name] + lifted if name in lift else lifted
        contributions = by_name[name].contributions_to(column, query, candidates.rows)
        if contributions is not None:
            parts += np.float32(factor) * contributions
    return [
        Explanation(source="rule", because_of=None, share=0.0)
        if pinned
        else Explanation(source=source, because_of=because_of, share=share)
        for pinned, source, (because_of, share) in zip(
            candidates.pinned.tolist(),
            _sources(lift, len(candidates)),
            _because(recipe, query, candidates, parts),
            strict=True,
        )
    ]


def _sources(lift: dict[str, FloatArray], n: int) -> list[str]:
    """Return the source that lifts each of the `n` candidates most, "" without any."""
    if not lift:
        return [""] * n
    names = list(lift)
    return [names[best] for best in np.argmax(np.stack(list(lift.values())), axis=0).tolist()]


def _because(recipe: Recipe, query: Query, candidates: Candidates, parts: FloatArray) -> list[tuple[int | None, float]]:
    """Return for each candidate the basis row that adds most to it, of those that prove to, and its share.

    What adds most to the linear part need not add to the score: weights move up when an item goes, and the learned
    ranker is not linear at all. So each reason is tested by asking again without it, for a few history items that
    explain most of the list; None, with the share of what adds most, where none of them holds.
    """
    nothing: list[tuple[int | None, float]] = [(None, 0.0)] * len(candidates)
    if not len(parts) or not len(candidates):
        return nothing
    totals = np.maximum(parts, 0).sum(axis=0)
    if query.seed is not None:
        return [(int(query.seed), 1.0) if total > 0 else (None, 0.0) for total in totals.tolist()]
    ranked: Candidates | None = query.scratch.get(RANKED)
    if ranked is None:
        return nothing
    most = np.maximum(parts.max(axis=0), 0)
    best = np.full(len(candidates), -1)
    known = np.flatnonzero(np.isin(candidates.rows, ranked.rows) & ~candidates.pinned)
    places = _leaders(parts[:, known], TESTED)
    if len(places):
        lowered = Counterfactuals(recipe, query, ranked).lowered(candidates.rows[known], places.tolist())
        proven = np.where(lowered, parts[np.ix_(places, known)], 0)
        found = proven.max(axis=0) > 0
        best[known[found]] = places[proven.argmax(axis=0)[found]]
        most[known[found]] = proven.max(axis=0)[found]
    shares = np.divide(most, totals, out=np.zeros_like(totals), where=totals > 0)
    return [
        (int(query.basis[place]) if place >= 0 else None, share)
        for place, share in zip(best.tolist(), shares.tolist(), strict=True)
    ]


def _leaders(parts: FloatArray, n: int) -> RowArray:
    """Return the up to `n` history items that add most to most of the candidates, then second most, then most to all of
    them together; none that adds nothing. `parts` as in `explain`.
    """
    columns = np.arange(parts.shape[1])
    totals = np.maximum(parts, 0).sum(axis=1, dtype=np.float64)
    order, leads = np.argsort(-parts, axis=0, kind="stable"), totals / (totals.sum() or 1.0) / 2
    for rank, worth in ((0, len(columns) + 1), (1, 1)):
        if rank < len(parts):
            places = order[rank]
            leads += worth * np.bincount(places[parts[places, columns] > 0], minlength=len(parts))
    first: RowArray = np.argsort(-leads, kind="stable")[:n]
    leading: RowArray = first[totals[first] > 0]
    return leading
