"""What editors want, applied last: hides, then boosts and buries, then pins."""

from __future__ import annotations

import numpy as np

from recommender.contracts import Candidates, Query
from recommender.pipeline.stages import Reranker


class BusinessRules(Reranker):
    """The one stage that may add items: a pinned item need not have been a candidate.

    A pin shows even what the user has seen (a promotion is meant to be seen), never what is hidden, unavailable,
    excluded by the request or shown in an earlier carousel of the page. A list shorter than a pin's position takes
    the pin at its end.
    """

    name = "business_rules"

    def enabled(self, query: Query) -> bool:
        return query.rules is not None

    def rerank(self, query: Query, candidates: Candidates) -> Candidates:
        rules = query.rules
        assert rules is not None  # noqa: S101 -- `enabled` said so
        if rules.hidden is not None:
            candidates = candidates.take(~rules.hidden[candidates.rows])
        if rules.multiplier is not None:
            score = candidates.score * rules.multiplier[candidates.rows]
            order = np.argsort(-np.where(np.isfinite(score), score, -np.inf), kind="stable")
            candidates.score = score.astype(np.float32)
            candidates = candidates.take(order)
        return _pin(query, candidates, rules.pins, rules.hidden) if rules.pins else candidates


def _pin(
    query: Query, candidates: Candidates, pins: tuple[tuple[int, int], ...], hidden: np.ndarray | None
) -> Candidates:
    available = query.catalogue.available(query.now)
    allowed = [
        (position, row)
        for position, row in pins
        if available[row]
        and row != query.seed
        and row not in query.exclude
        and (hidden is None or not hidden[row])
        and position < query.limit
    ]
    pinned_rows = np.array([row for _, row in allowed], dtype=np.int64)
    others = candidates.take(~np.isin(candidates.rows, pinned_rows))
    order = list(range(len(others)))
    for number, (position, _) in enumerate(allowed):
        order.insert(position, len(others) + number)
    together = Candidates(
        rows=np.concatenate([others.rows, pinned_rows]),
        source_scores={
            name: np.concatenate([scores, np.full(len(pinned_rows), np.nan, dtype=np.float32)])
            for name, scores in others.source_scores.items()
        },
        score=np.concatenate([others.score, np.ones(len(pinned_rows), dtype=np.float32)]),
        pinned=np.concatenate([others.pinned, np.ones(len(pinned_rows), dtype=bool)]),
    )
    return together.take(np.array(order, dtype=np.int64))
