"""Measures of ranked lists, written once more from their definitions: the project's own must come to the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2

Lists = Mapping[int, Sequence[int]]
"""User → items, best first."""
Wanted = Mapping[int, set[int]]
"""User → items that would have been right; never empty."""


def ndcg(lists: Lists, wanted: Wanted, k: int) -> float:
    """Return the mean NDCG@k: binary relevance, gain 1 / log2(rank + 1), ideal list of min(k, |wanted|) items.

    Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", 2002. A user without a list counts 0.
    """
    total = 0.0
    for user, right in wanted.items():
        found = sum(1 / log2(rank + 1) for rank, item in enumerate(lists.get(user, ())[:k], start=1) if item in right)
        total += found / sum(1 / log2(rank + 1) for rank in range(1, min(k, len(right)) + 1))
    return total / len(wanted)


def recall(lists: Lists, wanted: Wanted, k: int) -> float:
    """Return the mean share of the wanted items that stand among the first k."""
    shares = [len(right & set(lists.get(user, ())[:k])) / len(right) for user, right in wanted.items()]
    return sum(shares) / len(shares)


def coverage(lists: Lists, k: int, items: int) -> float:
    """Return the share of `items` that stand among the first k of at least one list."""
    return len({item for ranked in lists.values() for item in ranked[:k]}) / items
