"""Base of the sources that add up rows of a sparse item-by-item matrix, one row for each item of the history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender.arrays import FloatArray, RowArray
from recommender.contracts import RECENCY_FLOOR, Query
from recommender.pipeline.model_view import ModelView
from recommender.pipeline.stages import Source, Without
from recommender.sources.half_life import HalfLife, resolve
from recommender.sources.row_sums import RowSums


@dataclass(slots=True, kw_only=True)
class _Work:
    """What the rows of the history say, of all items and of those last asked about."""

    known: NDArray[np.bool_]
    """(basis,) which history items the model knows."""
    weights: FloatArray
    """(1 + variants, known)."""
    sums: RowSums
    rows: RowArray | None = None
    """What was last asked about: several columns, or several questions, are about the same array of rows."""
    part: sparse.csc_matrix | None = None
    """(those rows, known), each history item's share in the order of `sums.entries`."""

    def about(self, rows: RowArray, view: ModelView) -> sparse.csc_matrix:
        """Return the part of the matrix about the catalogue's `rows`; nothing is said of those the model lacks."""
        if self.part is None or self.rows is not rows:
            entries = self.sums.entries
            model_rows, known = view.known(rows)
            columns = self.sums.columns_of(model_rows)
            told = np.flatnonzero(known & (columns >= 0))
            # A look-up table, and `take` with a mode that skips a second check: a fifth of indexing by column.
            place_of = np.full(entries.shape[1] + 1, -1, dtype=np.int32)
            place_of[columns[told]] = told
            places = place_of.take(entries.indices, mode="clip")
            hits = np.flatnonzero(places >= 0)
            part = entries.data[hits], places[hits], np.searchsorted(hits, entries.indptr).astype(np.int32)
            self.rows, self.part = rows, sparse.csc_matrix(part, (len(rows), entries.shape[0]))
        return self.part


class NeighbourSource(Source):
    """score(j) = Σ over history items h of weight(h) · W[h, j].

    W is the bundle's CSR matrix `<artefact>.indptr/.indices/.data`, row = history item, column = candidate.

    Parameters
    ----------
    half_life
        Recency of the history, in events; None weighs all alike, "tuned" takes what the rebuild found best.
    variants
        Further columns for the learned ranker, by label: the same sum at other half-lives.
    floor
        What is left of an item's weight however old it is.
    popularity_discount
        W[h, j] is divided by (popularity of j + 10) to this power: 0 for "what will he take", about 0.5 for "what is
        like this one", where what everybody takes says little.
    """

    artefact: ClassVar[str]

    def __init__(
        self,
        half_life: HalfLife = None,
        floor: float = RECENCY_FLOOR,
        popularity_discount: float = 0.0,
        variants: Mapping[str, HalfLife] | None = None,
    ) -> None:
        self.half_life = half_life
        self.variants = dict(variants or {})
        self.floor = floor
        self.popularity_discount = popularity_discount

    def enabled(self, query: Query) -> bool:
        if query.model is None or f"{self.artefact}.indptr" not in query.model.bundle.arrays or not len(query.basis):
            return False
        return bool(query.model.known(query.basis)[1].any())

    def retrieve(self, query: Query, n: int) -> RowArray:
        view = _view(query)
        rows = view.row_in_catalogue[self._work(query, view).sums.best(n)]
        return rows[rows >= 0]

    def score(self, query: Query, rows: RowArray) -> FloatArray:
        return self.columns(query, rows)[self.name]

    def columns(self, query: Query, rows: RowArray) -> dict[str, FloatArray]:
        view = _view(query)
        model_rows, known = view.known(rows)
        scores = self._work(query, view).sums.at(model_rows)
        if not known.all():
            scores[:, ~known] = np.nan
        return dict(zip(self._names(), scores, strict=True))

    def contributions(self, query: Query, rows: RowArray) -> FloatArray:
        return self._parts(query, rows, 0)

    def contributions_to(self, column: str, query: Query, rows: RowArray) -> FloatArray | None:
        names = self._names()
        return self._parts(query, rows, names.index(column)) if column in names else None

    def _parts(self, query: Query, rows: RowArray, variant: int) -> FloatArray:
        view = _view(query)
        work = self._work(query, view)
        by_item = work.about(rows, view)
        history = np.repeat(np.arange(by_item.shape[1]), np.diff(by_item.indptr))
        parts = np.zeros((len(query.basis), len(rows)), dtype=np.float32)
        parts[np.flatnonzero(work.known)[history], by_item.indices] = work.weights[variant, history] * by_item.data
        return parts

    def columns_without(self, query: Query, rows: RowArray, reduced: Sequence[Without]) -> list[dict[str, FloatArray]]:
        view, names = _view(query), self._names()
        work = self._work(query, view)
        # The rows of the matrix stay; the one that has never been weighs nothing.
        places = [one.place for one in reduced]
        weights = np.stack(
            [query.basis_weights_without(places, half_life, self.floor) for half_life in self._half_lives(view)], axis=1
        )
        weights = weights.reshape(-1, len(work.known))[:, work.known]
        sums = (work.about(rows, view) @ weights.T).T
        _, known = view.known(rows)
        scores = sums if known.all() else np.where(known, sums, np.float32(np.nan))
        return [dict(zip(names, one, strict=True)) for one in scores.reshape(len(reduced), len(names), len(rows))]

    def _names(self) -> list[str]:
        return [self.name, *(f"{self.name}.{label}" for label in self.variants)]

    def _work(self, query: Query, view: ModelView) -> _Work:
        """Return what is computed once a request."""
        if self.name not in query.scratch:
            query.scratch[self.name] = self._add_up(query, view)
        kept: _Work = query.scratch[self.name]
        return kept

    def _add_up(self, query: Query, view: ModelView) -> _Work:
        model_rows, known = view.known(query.basis)
        entries = view.matrix(self.artefact)[model_rows if known.all() else model_rows[known]]
        if self.popularity_discount:
            popularity = view.array("popularity")[entries.indices]
            entries.data = entries.data / (popularity + 10) ** np.float32(self.popularity_discount)
        weights = np.ascontiguousarray(self._weights(query, view)[:, known])
        return _Work(known=known, weights=weights, sums=RowSums.of(entries, weights))

    def _weights(self, query: Query, view: ModelView) -> FloatArray:
        """Return (1 + variants, basis)."""
        return np.stack([query.basis_weights(half_life, self.floor) for half_life in self._half_lives(view)])

    def _half_lives(self, view: ModelView) -> list[float | None]:
        return [resolve(view.bundle, self.name, half_life) for half_life in (self.half_life, *self.variants.values())]


def _view(query: Query) -> ModelView:
    assert query.model is not None  # noqa: S101 -- `enabled` said so
    return query.model
