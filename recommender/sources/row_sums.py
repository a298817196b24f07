"""What some rows of a sparse item-by-item matrix add up to: work that grows with the rows, not with the catalogue."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender.arrays import FloatArray, RowArray
from recommender.sources.top_rows import top_rows

WHOLE_ROWS_UP_TO = 50_000
"""Items up to which every item has a column: to find the columns that are needed costs more than to add up all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSums:
    """Rows of the matrix, one an item of the history, and their sums under several weightings."""

    entries: sparse.csr_matrix
    """(history, columns)."""
    items: RowArray | None
    """(columns,) the item of each column, distinct; None: column j is item j."""
    n_items: int
    scores: FloatArray
    """(weightings, columns), the weights @ entries."""

    @classmethod
    def of(cls, entries: sparse.csr_matrix, weights: FloatArray) -> RowSums:
        """Add up `entries` (history, items) with each of the `weights` (weightings, history)."""
        n_items, items = entries.shape[1], None
        if n_items > WHOLE_ROWS_UP_TO and entries.nnz:
            items, columns = _numbered(entries.indices, n_items)
            parts = entries.data, columns, entries.indptr
            entries = sparse.csr_matrix(parts, shape=(entries.shape[0], len(items)), copy=False)
        return cls(entries=entries, items=items, n_items=n_items, scores=_weighted(entries.T, weights))

    def best(self, n: int) -> RowArray:
        """Return the at most `n` items with the highest positive sums of the first weighting, best first."""
        first = self.scores[0]
        best = top_rows(np.where(first > 0, first, np.float32(np.nan)), n)
        return best if self.items is None else self.items[best]

    def columns_of(self, rows: RowArray) -> RowArray:
        """Return (len(rows),) the column of each item, -1 for one that no row says anything of."""
        if self.items is None:
            return rows
        table = _table(self.n_items)
        table[self.items] = np.arange(len(self.items), dtype=np.int32)
        # Of other items the table holds what was left there: only who is really in that column counts.
        columns = np.minimum(table[rows], len(self.items) - 1)
        return np.where(self.items[columns] == rows, columns, -1)

    def at(self, rows: RowArray) -> FloatArray:
        """Return (weightings, len(rows)) the sums of these items."""
        columns = self.columns_of(rows)
        found: FloatArray = self.scores.take(columns, axis=1, mode="clip")
        return found if self.items is None else np.where(columns >= 0, found, np.float32(0))


def _weighted(by_item: sparse.csc_matrix, weights: FloatArray) -> FloatArray:
    """Return (weightings, items) float32, `weights` (weightings, history) times the (items, history) matrix."""
    sums = np.empty((len(weights), by_item.shape[0]), dtype=np.float32)
    for total, weight in zip(sums, weights, strict=True):
        total[:] = by_item @ weight
    return sums


_of_thread = threading.local()


def _table(n_items: int) -> NDArray[np.int32]:
    """Return this thread's (n_items,) table, with whatever its last user left: clearing it is what it saves."""
    table: NDArray[np.int32] | None = getattr(_of_thread, "table", None)
    if table is None or len(table) < n_items:
        table = _of_thread.table = np.zeros(n_items, dtype=np.int32)
    return table[:n_items]


def _numbered(items: NDArray[np.int32], n_items: int) -> tuple[RowArray, NDArray[np.int32]]:
    """Return the distinct `items` and for each entry the number of its item; in a tenth of np.unique's time."""
    table, places = _table(n_items), np.arange(len(items), dtype=np.int32)
    table[items] = places
    leader = table[items]
    leaders = np.flatnonzero(leader == places)
    number = np.empty(len(items), dtype=np.int32)
    number[leaders] = np.arange(len(leaders), dtype=np.int32)
    return items[leaders].astype(np.int64), number[leader]
