"""Base of the sources that add up rows of a sparse item-by-item matrix, one row for each item of the history."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from recommender.contracts import FloatArray, Query, RowArray
from recommender.pipeline.model_view import ModelView
from recommender.pipeline.stages import Source
from recommender.sources.top_rows import top_rows


class NeighbourSource(Source):
    """score(j) = Σ over history items h of weight(h) · W[h, j].

    W is the bundle's CSR matrix `<artefact>.indptr/.indices/.data`, row = history item, column = candidate.

    Parameters
    ----------
    half_life
        Recency of the history, in events; None weighs all alike.
    floor
        What is left of an item's weight however old it is.
    popularity_discount
        W[h, j] is divided by (popularity of j + 10) to this power: 0 for "what will he take", about 0.5 for "what is
        like this one", where what everybody takes says little.
    """

    artefact: ClassVar[str]

    def __init__(self, half_life: float | None = None, floor: float = 0.1, popularity_discount: float = 0.0) -> None:
        self.half_life = half_life
        self.floor = floor
        self.popularity_discount = popularity_discount

    def enabled(self, query: Query) -> bool:
        if query.model is None or f"{self.artefact}.indptr" not in query.model.bundle.arrays or not len(query.basis):
            return False
        return bool(query.model.known(query.basis)[1].any())

    def retrieve(self, query: Query, n: int) -> RowArray:
        view = _view(query)
        scores = self._model_scores(query, view)
        best = top_rows(np.where(scores > 0, scores, np.float32(np.nan)), n)
        rows = view.row_in_catalogue[best]
        return rows[rows >= 0]

    def score(self, query: Query, rows: RowArray) -> FloatArray:
        view = _view(query)
        return view.spread(self._model_scores(query, view), rows)

    def contributions(self, query: Query, rows: RowArray) -> FloatArray:
        view = _view(query)
        column_of = np.full(len(view.bundle.item_pks), -1, dtype=np.int64)
        model_rows, known = view.known(rows)
        column_of[model_rows[known]] = np.flatnonzero(known)
        basis, weights, targets, values = self._entries(query, view)
        columns = column_of[targets]
        wanted = columns >= 0
        parts = np.zeros((len(query.basis), len(rows)), dtype=np.float32)
        np.add.at(parts, (basis[wanted], columns[wanted]), weights[wanted] * values[wanted])
        return parts

    def _model_scores(self, query: Query, view: ModelView) -> FloatArray:
        """Return (model items,) float32, computed once a request."""
        if self.name not in query.scratch:
            _, weights, targets, values = self._entries(query, view)
            scores = np.bincount(targets, weights=weights * values, minlength=len(view.bundle.item_pks))
            query.scratch[self.name] = scores.astype(np.float32)
        scores_kept: FloatArray = query.scratch[self.name]
        return scores_kept

    def _entries(
        self, query: Query, view: ModelView
    ) -> tuple[NDArray[np.int64], FloatArray, NDArray[np.int32], FloatArray]:
        """Return the matrix entries of the history's rows: (position in basis, its weight, column, value)."""
        indptr = view.array(f"{self.artefact}.indptr")
        indices = view.array(f"{self.artefact}.indices")
        data = view.array(f"{self.artefact}.data")
        model_rows, known = view.known(query.basis)
        positions = np.flatnonzero(known)
        weights = query.basis_weights(self.half_life, self.floor)
        starts, stops = indptr[model_rows[known]], indptr[model_rows[known] + 1]
        if not len(positions):
            nothing = np.empty(0, dtype=np.float32)
            return np.empty(0, np.int64), nothing, np.empty(0, np.int32), nothing
        lengths = stops - starts
        basis = np.repeat(positions, lengths)
        spans = [slice(int(start), int(stop)) for start, stop in zip(starts, stops, strict=True)]
        targets = np.concatenate([indices[span] for span in spans])
        values = np.concatenate([data[span] for span in spans])
        if self.popularity_discount:
            values = values / (view.array("popularity")[targets] + 10) ** np.float32(self.popularity_discount)
        return basis, weights[basis], targets, values


def _view(query: Query) -> ModelView:
    assert query.model is not None  # noqa: S101 -- `enabled` said so
    return query.model
