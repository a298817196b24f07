"""No more than so many items of a category within a few places."""

from __future__ import annotations

from collections import Counter

import numpy as np

from recommender.contracts import Candidates, Query
from recommender.pipeline.stages import Reranker

EMPTY = -1
"""In place of a category: no item yet, or one without a category (those need not be alike)."""


class CategoryCap(Reranker):
    """At most `at_most` items of a category in any `window` places in a row.

    Each place goes to the best item that the cap allows there; when it allows none, to the best there is, for a short
    list helps nobody. Pinned items keep their places and count. Stands after `business_rules` in a recipe, so that the
    list keeps the cap whatever has been hidden or boosted. Places keep their scores, as in `diversity`.
    """

    name = "category_cap"

    def __init__(self, at_most: int = 2, window: int = 5) -> None:
        if not 1 <= at_most <= window:
            raise ValueError(f"at_most must be 1..window, not {at_most!r} with a window of {window!r}")
        self.at_most = at_most
        self.window = window

    def rerank(self, query: Query, candidates: Candidates) -> Candidates:
        codes = query.catalogue.category_codes[candidates.rows].astype(np.int64)
        if "" in query.catalogue.categories:
            codes[codes == query.catalogue.categories.index("")] = EMPTY
        n = min(query.limit, len(candidates))
        order = np.where(candidates.pinned, np.arange(len(candidates)), EMPTY)[:n]
        placed = np.where(order == EMPTY, EMPTY, codes[:n]).tolist()
        left, pins = ~candidates.pinned, bool(candidates.pinned.any())
        for place in np.flatnonzero(order == EMPTY).tolist():
            allowed = left.copy()
            for code in self._full(placed, place, pins=pins):
                allowed &= codes != code
            chosen = int(np.argmax(allowed if allowed.any() else left))
            order[place], placed[place] = chosen, int(codes[chosen])
            left[chosen] = False
        rest = np.ones(len(candidates), dtype=bool)
        rest[order] = False
        reordered = candidates.take(np.concatenate([order, np.flatnonzero(rest)]))
        reordered.score = candidates.score
        return reordered

    def _full(self, placed: list[int], place: int, *, pins: bool) -> set[int]:
        """Return the categories that already stand `at_most` times in some window that `place` belongs to."""
        first = max(0, place - self.window + 1)
        full: set[int] = set()
        # Only pins stand beyond `place`: without any, the window that ends there says it all.
        for start in range(first, place + 1) if pins else (first,):
            counts = Counter(placed[start : start + self.window])
            full.update(code for code, count in counts.items() if count >= self.at_most and code != EMPTY)
        return full
