"""Vectors to search in: like the ALS factors of a site with as many items, the same ones every time.

200 tastes, each item near one of them in all dimensions, lengths log-normal up to a limit, as popularity makes them
(mean, spread and limit are those of the factors of MovieLens latest-small); a query is the sum of five items of one
taste, as a folded-in history is. Real factors are easier: the ten best of a query are among the longest hundredth of
100,000 for 0.52 of them, of MovieLens' 9,724 films for 0.73, of a million simulated items (17 million pairs) for 1.00.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TASTES = 200
QUERIES = 200
NEAREST = 10
_BLOCK = 1_000_000

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Searched:
    """Item vectors, queries, and what each query must find."""

    vectors: Vectors
    """(size, factors)."""
    queries: Vectors
    """(QUERIES, factors)."""
    nearest: list[set[int]]
    """The true NEAREST rows of each query."""


def generate(size: int, factors: int) -> Searched:
    """Return `size` vectors of `factors` dimensions."""
    rng = np.random.default_rng(size)
    centres = rng.normal(size=(TASTES, factors)).astype(np.float32)
    taste = np.sort(rng.integers(TASTES, size=size))
    lengths = np.minimum(rng.lognormal(mean=-1.3, sigma=0.8, size=size), 2.4).astype(np.float32)
    vectors = np.empty((size, factors), dtype=np.float32)
    for start in range(0, size, _BLOCK):
        span = slice(start, start + _BLOCK)
        directions = centres[taste[span]] + 0.8 * rng.standard_normal(size=vectors[span].shape, dtype=np.float32)
        directions *= (lengths[span] / np.linalg.norm(directions, axis=1))[:, None]
        vectors[span] = directions
    starts = np.searchsorted(taste, np.arange(TASTES + 1))
    histories = (
        rng.integers(starts[chosen], starts[chosen + 1], size=5) for chosen in rng.integers(TASTES, size=QUERIES)
    )
    queries = np.array([vectors[history].sum(axis=0) for history in histories], dtype=np.float32)
    return Searched(vectors, queries, [_nearest(vectors, query) for query in queries])


def _nearest(vectors: Vectors, query: Vectors) -> set[int]:
    """Return the true nearest: of ten times as many by a scan, by double precision."""
    near = np.argpartition(vectors @ query, -10 * NEAREST)[-10 * NEAREST :]
    wide = vectors[near].astype(np.float64) @ query.astype(np.float64)
    return set(near[np.argsort(-wide)[:NEAREST]].tolist())
