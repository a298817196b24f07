"""Some rows of a sparse item-by-item matrix and their sum: work that grows with the rows, not with the catalogue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recommender.arrays import FloatArray, RowArray
from recommender.sources.top_rows import top_rows

WHOLE_ROWS_UP_TO = 100_000
"""Items up to which every item has a column. 60,000 entries were added up in 0.6 ms at 50,000 items, 2.8 at 200,000 and
16 at a million; by the columns that are named, in 1.3 to 1.5 ms at any size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSums:
    """Rows of the matrix, one an item of the history, and their weighted sum."""

    entries: sparse.csr_matrix
    """(history, columns)."""
    items: RowArray | None
    """(columns,) the item of each column, ascending; None: column j is item j."""
    total: FloatArray
    """(columns,) the weights @ entries."""

    @classmethod
    def of(cls, entries: sparse.csr_matrix, weights: FloatArray) -> RowSums:
        """Add up `entries` (history, items), each row with its one of the `weights` (history,)."""
        items: RowArray | None = None
        if entries.shape[1] > WHOLE_ROWS_UP_TO and entries.nnz:
            named, columns = np.unique(entries.indices, return_inverse=True)
            items = named.astype(np.int64)
            parts = entries.data, columns.astype(np.int32), entries.indptr
            entries = sparse.csr_matrix(parts, shape=(entries.shape[0], len(items)), copy=False)
        return cls(entries=entries, items=items, total=entries.T @ weights)

    def best(self, n: int) -> RowArray:
        """Return the at most `n` items with the highest positive sums, best first."""
        best = top_rows(np.where(self.total > 0, self.total, np.float32(np.nan)), n)
        return best if self.items is None else self.items[best]

    def told(self, rows: RowArray) -> FloatArray:
        """Return (history, len(rows)) float32, what each row of the matrix says of these distinct items."""
        columns, entries = self._columns_of(rows), self.entries
        named = np.flatnonzero(columns >= 0)
        # A look-up table, and `take` with a mode that skips a second check: a fifth of indexing by column.
        place_of = np.full(entries.shape[1], -1, dtype=np.int32)
        place_of[columns[named]] = named
        places = place_of.take(entries.indices, mode="clip")
        hits = np.flatnonzero(places >= 0)
        history = np.repeat(np.arange(entries.shape[0]), np.diff(np.searchsorted(hits, entries.indptr)))
        # Written through a flat view: half the time of two-dimensional indices.
        told = np.zeros(entries.shape[0] * len(rows), dtype=np.float32)
        told[history * len(rows) + places[hits]] = entries.data[hits]
        return told.reshape(entries.shape[0], len(rows))

    def _columns_of(self, rows: RowArray) -> RowArray:
        """Return (len(rows),) the column of each item, -1 for one that no row says anything of."""
        if self.items is None:
            return rows
        columns = np.minimum(np.searchsorted(self.items, rows), len(self.items) - 1)
        return np.where(self.items[columns] == rows, columns, -1)
