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
from recommender.sources.top_rows import top_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What the matrix rows of the history say of some items."""

    rows: RowArray
    """Rows of those items."""
    by_item: sparse.csc_matrix
    """(those items, known), each history item's in the order of `_Work.entries`."""

    @classmethod
    def of(cls, entries: sparse.csr_matrix, view: ModelView, rows: RowArray) -> _Part:
        """Return the part of `entries` about the catalogue's `rows`; nothing is said of those the model lacks."""
        model_rows, known = view.known(rows)
        # A look-up table, and `take` with a mode that skips a second check: a fifth of indexing the matrix by column.
        column_of = np.full(entries.shape[1], -1, dtype=np.int32)
        column_of[model_rows[known]] = np.flatnonzero(known)
        columns = column_of.take(entries.indices, mode="clip")
        hits = np.flatnonzero(columns >= 0)
        part = entries.data[hits], columns[hits], np.searchsorted(hits, entries.indptr).astype(np.int32)
        return cls(rows=rows, by_item=sparse.csc_matrix(part, (len(rows), entries.shape[0])))


@dataclass(slots=True, kw_only=True)
class _Work:
    """The matrix rows of the history and what they add up to."""

    known: NDArray[np.bool_]
    """(basis,) which history items the model knows."""
    weights: FloatArray
    """(1 + variants, known)."""
    entries: sparse.csr_matrix
    """(known, model items)."""
    scores: FloatArray
    """(1 + variants, model items), the weights of each half-life @ entries."""
    part: _Part | None = None
    """What was last asked for: several columns, or several questions, are about the same array of rows."""


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
        scores = self._work(query, view).scores[0]
        best = top_rows(np.where(scores > 0, scores, np.float32(np.nan)), n)
        rows = view.row_in_catalogue[best]
        return rows[rows >= 0]

    def score(self, query: Query, rows: RowArray) -> FloatArray:
        view = _view(query)
        return view.spread(self._work(query, view).scores[0], rows)

    def columns(self, query: Query, rows: RowArray) -> dict[str, FloatArray]:
        view = _view(query)
        work = self._work(query, view)
        return {name: view.spread(scores, rows) for name, scores in zip(self._names(), work.scores, strict=True)}

    def contributions(self, query: Query, rows: RowArray) -> FloatArray:
        return self._parts(query, rows, 0)

    def contributions_to(self, column: str, query: Query, rows: RowArray) -> FloatArray | None:
        names = self._names()
        return self._parts(query, rows, names.index(column)) if column in names else None

    def _parts(self, query: Query, rows: RowArray, variant: int) -> FloatArray:
        work, by_item = self._work(query, _view(query)), self._part(query, rows).by_item
        history = np.repeat(np.arange(by_item.shape[1]), np.diff(by_item.indptr))
        parts = np.zeros((len(query.basis), len(rows)), dtype=np.float32)
        parts[np.flatnonzero(work.known)[history], by_item.indices] = work.weights[variant, history] * by_item.data
        return parts

    def columns_without(self, query: Query, rows: RowArray, reduced: Sequence[Without]) -> list[dict[str, FloatArray]]:
        view, names = _view(query), self._names()
        work, part = self._work(query, view), self._part(query, rows)
        stood = np.flatnonzero(work.known)
        # The rows of the matrix stay; the one that has never been weighs nothing.
        weights = np.zeros((len(reduced), len(names), len(stood)), dtype=np.float32)
        for one, weight in zip(reduced, weights, strict=True):
            weight[:, stood != one.place] = self._weights(one.query, view)[:, np.delete(work.known, one.place)]
        _, known = view.known(rows)
        scores = np.where(known, _sums(part.by_item, weights.reshape(-1, len(stood))), np.float32(np.nan))
        return [dict(zip(names, one, strict=True)) for one in scores.reshape(len(reduced), len(names), len(rows))]

    def _names(self) -> list[str]:
        return [self.name, *(f"{self.name}.{label}" for label in self.variants)]

    def _work(self, query: Query, view: ModelView) -> _Work:
        """Return what is computed once a request."""
        if self.name not in query.scratch:
            query.scratch[self.name] = self._add_up(query, view)
        kept: _Work = query.scratch[self.name]
        return kept

    def _part(self, query: Query, rows: RowArray) -> _Part:
        view = _view(query)
        work = self._work(query, view)
        if work.part is None or work.part.rows is not rows:
            work.part = _Part.of(work.entries, view, rows)
        return work.part

    def _add_up(self, query: Query, view: ModelView) -> _Work:
        model_rows, known = view.known(query.basis)
        entries = view.matrix(self.artefact)[model_rows[known]]
        if self.popularity_discount:
            popularity = view.array("popularity")[entries.indices]
            entries.data = entries.data / (popularity + 10) ** np.float32(self.popularity_discount)
        weights = np.ascontiguousarray(self._weights(query, view)[:, known])
        return _Work(known=known, weights=weights, entries=entries, scores=_sums(entries.T, weights))

    def _weights(self, query: Query, view: ModelView) -> FloatArray:
        """Return (1 + variants, basis)."""
        half_lives = [self.half_life, *self.variants.values()]
        resolved = [resolve(view.bundle, self.name, half_life) for half_life in half_lives]
        return np.stack([query.basis_weights(half_life, self.floor) for half_life in resolved])


def _sums(by_item: sparse.csc_matrix, weights: FloatArray) -> FloatArray:
    """Return (1 + variants, items), `weights` times the (items, known) matrix."""
    return np.ascontiguousarray((by_item @ weights.T).T, dtype=np.float32)


def _view(query: Query) -> ModelView:
    assert query.model is not None  # noqa: S101 -- `enabled` said so
    return query.model
