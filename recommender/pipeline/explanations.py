"""Why an item stands in a list: the source that contributed most, and the history item behind the score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recommender.arrays import BoolArray, FloatArray
from recommender.contracts import Candidates, Query
from recommender.pipeline.counterfactuals import Counterfactuals
from recommender.pipeline.recipes import Recipe
from recommender.pipeline.runner import RANKED

TESTED = 4
"""History items that are tried as reasons of one list: each costs a scoring of its candidates."""


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
    known = np.isin(candidates.rows, ranked.rows) & ~candidates.pinned
    best = np.full(len(candidates), -1)
    open_parts = np.where(known[None, :], parts, 0.0)
    counterfactuals = Counterfactuals(recipe, query, ranked)
    tested: dict[int, BoolArray] = {}
    for done in range(TESTED):
        places = _leaders(open_parts[:, best < 0], TESTED - done)
        if not places:
            break
        place = places[0]
        if place not in tested:
            # Together with those that come next if each proves where it leads. Of 4.6 so tested 3.5 are looked at.
            tested |= zip(places, counterfactuals.lowered(candidates.rows[known], places), strict=True)
        proven = np.zeros(len(candidates), dtype=bool)
        proven[known] = tested[place]
        better = proven & (parts[place] > np.where(best >= 0, parts[best, np.arange(len(best))], 0.0))
        best[better] = place
        open_parts[place] = 0.0
    leading = np.where(best >= 0, best, np.argmax(parts, axis=0))
    most = np.maximum(parts[leading, np.arange(len(leading))], 0)
    shares = np.divide(most, totals, out=np.zeros_like(totals), where=totals > 0)
    return [
        (row if place >= 0 else None, share)
        for row, share, place in zip(query.basis[leading].tolist(), shares.tolist(), best.tolist(), strict=True)
    ]


def _leaders(parts: FloatArray, n: int) -> list[int]:
    """Return the up to `n` history items that add most to most of the candidates; `parts` as in `explain`."""
    leading = np.argmax(parts, axis=0)[parts.max(axis=0) > 0]
    leads = np.bincount(leading, minlength=1)
    return [place for place in np.argsort(-leads, kind="stable")[:n].tolist() if leads[place]]
