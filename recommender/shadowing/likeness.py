"""How alike two rankings are."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

K = 10
PERSISTENCE = 0.9
"""Chance that a reader goes on to the next place: the first ten places make 86 % of the weight."""


def overlap(one: Sequence[Hashable], other: Sequence[Hashable], k: int = K) -> float:
    """Return the share of the first `k` places (fewer where both are shorter) whose items stand among both; 0..1.

    Two empty lists are alike.
    """
    first, second = set(one[:k]), set(other[:k])
    longer = max(len(first), len(second))
    return len(first & second) / longer if longer else 1.0


def rank_biased_overlap(one: Sequence[Hashable], other: Sequence[Hashable], p: float = PERSISTENCE) -> float:
    """Return the extrapolated rank-biased overlap of two lists of distinct items; 0..1, 1 for the same order.

    Webber, Moffat and Zobel, "A similarity measure for indefinite rankings", ACM TOIS 28(4), 2010, equation 32. Two
    empty lists are alike, an empty one is like no other.
    """
    shorter, longer = sorted((one, other), key=len)
    if not longer:
        return 1.0
    if not shorter:
        return 0.0
    s, length = len(shorter), len(longer)
    common = 0
    total = 0.0
    common_at_s = 0
    seen: set[Hashable] = set()
    for depth in range(1, length + 1):
        for items in (shorter, longer):
            if depth <= len(items):
                common += items[depth - 1] in seen
                seen.add(items[depth - 1])
        if depth == s:
            common_at_s = common
        # Beyond the shorter list's end it is taken to go on agreeing as it did until then.
        beyond = common_at_s * (depth - s) / s if depth > s else 0.0
        total += (common + beyond) / depth * p**depth
    return (1 - p) / p * total + ((common - common_at_s) / length + common_at_s / s) * p**length
