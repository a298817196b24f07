"""What a ranker learns from: the candidates of past requests, and which of them were taken afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.arrays import BoolArray, FloatArray, RowArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """The candidates of `users` requests, one after the other."""

    starts: NDArray[np.int64]
    """(users + 1,) request u's candidates are starts[u]:starts[u + 1]."""
    rows: RowArray
    """(candidates,) catalogue rows."""
    features: FloatArray
    """(candidates, features) as `features.names(columns)` says; the first columns are the sources' z."""
    columns: tuple[str, ...]
    """Source columns the features were made of."""
    taken: BoolArray
    """(candidates,) True where the user took it afterwards."""
    wanted: NDArray[np.int64]
    """(users,) how many he took in all, among the candidates or not; at least 1."""

    def __len__(self) -> int:
        return len(self.wanted)

    @property
    def request_of(self) -> NDArray[np.int64]:
        """(candidates,) the request each belongs to."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def places(self, scores: NDArray[np.floating[Any]]) -> NDArray[np.int64]:
        """Return (candidates,) each candidate's place in its request, from 0, by `scores`; ties in row order."""
        request = self.request_of
        order = np.lexsort((self.rows, -scores, request))
        places = np.empty(len(order), dtype=np.int64)
        places[order] = np.arange(len(order)) - self.starts[request]
        return places

    def ndcg(self, scores: NDArray[np.floating], k: int = 10) -> NDArray[np.float64]:
        """Return (users,) NDCG@k of each request's candidates in the order of `scores`; ties in row order."""
        place = self.places(scores)
        hit = self.taken & (place < k)
        gains = np.bincount(self.request_of[hit], weights=1 / np.log2(place[hit] + 2), minlength=len(self))
        ideal = np.cumsum(1 / np.log2(np.arange(k) + 2))
        found: NDArray[np.float64] = gains / ideal[np.minimum(self.wanted, k) - 1]
        return found
