"""Cut [0, 1) into one range a variant and find the range a number falls in (GrowthBook's bucket ranges)."""

from __future__ import annotations

import math
from collections.abc import Sequence

Range = tuple[float, float]

WEIGHT_TOLERANCE = 0.01
"""Weights whose sum is further than this from 1 are taken for a mistake: all arms then get the same share."""


def equal_weights(count: int) -> list[float]:
    """Return `count` equal weights that sum to 1; empty for count < 1."""
    return [1 / count] * count if count > 0 else []


def bucket_ranges(count: int, coverage: float = 1.0, weights: Sequence[float] | None = None) -> tuple[Range, ...]:
    """Return `count` half-open ranges [start, end) within [0, 1].

    Parameters
    ----------
    count
        Number of variants.
    coverage
        Share of units taking part; clamped to 0..1. Each range keeps its start and loses `1 - coverage` of its width,
        so raising the coverage moves nobody from one variant to another.
    weights
        One share a variant. None, a wrong number of them, a negative or non-finite one, or a sum further than
        `WEIGHT_TOLERANCE` from 1: equal weights instead.
    """
    coverage = min(max(coverage, 0.0), 1.0)
    usable = list(weights) if weights is not None and _usable(weights, count) else equal_weights(count)
    ranges = []
    start = 0.0
    for weight in usable:
        ranges.append((start, start + coverage * weight))
        start += weight
    return tuple(ranges)


def choose(n: float, ranges: Sequence[Range]) -> int:
    """Return the index of the first range with start ≤ n < end, or -1."""
    for index, (start, end) in enumerate(ranges):
        if start <= n < end:
            return index
    return -1


def _usable(weights: Sequence[float], count: int) -> bool:
    if len(weights) != count or not all(math.isfinite(weight) and weight >= 0 for weight in weights):
        return False
    return abs(math.fsum(weights) - 1) <= WEIGHT_TOLERANCE
