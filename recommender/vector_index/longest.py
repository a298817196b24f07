"""The longest vectors, which an inner product favours whatever the query: scanned, so that the rest can be cut even.

An item's length is its popularity, and popularity is steep: of the ten films that each of 100 MovieLens users scores
highest, 73 % are among the longest hundredth of 9,724 and 98 % among the longest twentieth; with the factors of a
simulated audience, 17 million pairs and a million items, all are. A structure that compares angles or distances is
spoilt by the same few (see `annoy.lifted`). Splitting by length is the idea of Yan et al. 2018, "Norm-Ranging LSH for
Maximum Inner Product Search", here with two ranges.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.vector_index.base import Metric, Rows, Vectors
from recommender.vector_index.brute_force import best_rows

SCANNED = 20
"""One row in so many. With one in a hundred, recall@10 on MovieLens' factors fell from .99 to .77."""
ROWS_FILE = "longest_rows.npy"
VECTORS_FILE = "longest.npy"


class Longest:
    """The longest rows of an index under "dot", with their vectors side by side; none under other metrics."""

    files = (ROWS_FILE, VECTORS_FILE)

    def __init__(self, rows: Rows, vectors: Vectors) -> None:
        """Take ascending row numbers (n,) and their vectors (n, factors)."""
        self.rows = rows
        self._vectors = vectors
        # How many rows of `rows` come before the place p among the others: those whose own place is p or less.
        self._before: NDArray[np.int64] = rows - np.arange(len(rows))

    @classmethod
    def of(cls, stored: Vectors, metric: Metric) -> Longest:
        """Choose one row in SCANNED, the lower row of equally long ones."""
        wanted = len(stored) // SCANNED if metric == "dot" else 0
        rows = np.sort(np.argsort(-lengths(stored), kind="stable")[:wanted]) if wanted else np.empty(0, np.int64)
        return cls(rows, stored[rows])

    @classmethod
    def read(cls, directory: Path) -> Longest:
        """Map what `write` left; OSError or ValueError when it is not that."""
        rows, vectors = (np.load(directory / file, mmap_mode="r", allow_pickle=False) for file in cls.files)
        return cls(rows.view(np.ndarray), vectors.view(np.ndarray))

    def write(self, directory: Path) -> None:
        """Write the `files` into a directory."""
        np.save(directory / ROWS_FILE, self.rows, allow_pickle=False)
        np.save(directory / VECTORS_FILE, self._vectors, allow_pickle=False)

    def best(self, query: Vectors, wanted: int) -> Rows:
        """Return the `wanted` rows among them of the highest inner product; fewer when they are fewer."""
        return self.rows[best_rows(self._vectors @ query, wanted)]

    def others(self, places: Rows) -> Rows:
        """Return the rows that stand at these places once the longest are taken out."""
        return places + np.searchsorted(self._before, places, side="right")


def lengths(vectors: Vectors) -> NDArray[np.float64]:
    """Return (rows,) the Euclidean length of each vector."""
    found: NDArray[np.float64] = np.sqrt(np.einsum("rf,rf->r", vectors, vectors, dtype=np.float64))
    return found
