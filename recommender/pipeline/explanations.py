"""Why an item stands in a list: the source that contributed most, and the history item behind the score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recommender.arrays import FloatArray
from recommender.contracts import Candidates, Query
from recommender.pipeline.recipes import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The reason of one item."""

    source: str
    """Name of the source that lifted the item most above the average candidate, or "rule" for a pin."""
    because_of: int | None
    """Row of the history item (or seed) that added most to the blended score; None when none added anything."""
    share: float
    """Its share of all that the history added, 0..1."""


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
    for slot in recipe.sources:
        name = slot.source.name
        if name not in shares or name not in candidates.source_scores:
            continue
        factor, mean = shares[name]
        scores = candidates.source_scores[name]
        lift[name] = np.where(np.isfinite(scores), factor * (scores - mean), -np.inf).astype(np.float32)
        contributions = slot.source.contributions(query, candidates.rows)
        if contributions is not None:
            parts += np.float32(factor) * contributions
    return [
        Explanation(source="rule", because_of=None, share=0.0)
        if pinned
        else Explanation(source=source, because_of=because_of, share=share)
        for pinned, source, (because_of, share) in zip(
            candidates.pinned.tolist(), _sources(lift, len(candidates)), _seeds(query, parts), strict=True
        )
    ]


def _sources(lift: dict[str, FloatArray], n: int) -> list[str]:
    """Return the source that lifts each of the `n` candidates most, "" without any."""
    if not lift:
        return [""] * n
    names = list(lift)
    return [names[best] for best in np.argmax(np.stack(list(lift.values())), axis=0).tolist()]


def _seeds(query: Query, parts: FloatArray) -> list[tuple[int | None, float]]:
    """Return for each column of `parts` the basis row that adds most and its share, (None, 0) when none adds."""
    if not len(parts):
        return [(None, 0.0)] * parts.shape[1]
    best, most = query.basis[np.argmax(parts, axis=0)], parts.max(axis=0)
    totals = np.maximum(parts, 0).sum(axis=0)
    shares = np.divide(most, totals, out=np.zeros_like(most), where=most > 0)
    return [
        (row, share) if share > 0 else (None, 0.0) for row, share in zip(best.tolist(), shares.tolist(), strict=True)
    ]
