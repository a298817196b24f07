"""Why an item stands in a list: the source that contributed most, and the history item behind the score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recommender.contracts import Candidates, FloatArray, Query
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
    return [_of_one(query, candidates, lift, parts, position) for position in range(len(candidates))]


def _of_one(
    query: Query, candidates: Candidates, lift: dict[str, FloatArray], parts: FloatArray, position: int
) -> Explanation:
    if candidates.pinned[position]:
        return Explanation(source="rule", because_of=None, share=0.0)
    source = max(lift, key=lambda name: lift[name][position], default="")
    column = parts[:, position]
    if not len(column) or column.max() <= 0:
        return Explanation(source=source, because_of=None, share=0.0)
    best = int(np.argmax(column))
    share = float(column[best] / np.maximum(column, 0).sum())
    return Explanation(source=source, because_of=int(query.basis[best]), share=share)
