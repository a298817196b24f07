"""Base of the sources that add up rows of a sparse item-by-item matrix, one row for each item of the history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from recommender.arrays import FloatArray, RowArray, contains
from recommender.contracts import RECENCY_FLOOR, Query
from recommender.pipeline.model_view import ModelView
from recommender.pipeline.stages import Source, Without
from recommender.sources.half_life import HalfLife, resolve
from recommender.sources.row_sums import RowSums


@dataclass(slots=True, kw_only=True)
class _Work:
    """What the rows of the history say, of all items and of those that a request is about."""

    known: NDArray[np.bool_]
    """(basis,) which history items the model knows."""
    sums: RowSums
    rows: RowArray
    """Catalogue rows that were asked about, ascending: the candidates."""
    told: FloatArray
    """(known, rows), what each history item says of each."""

    def about(self, rows: RowArray, view: ModelView) -> FloatArray:
        """Return (known, rows) what each history item says of the catalogue's `rows`, 0 where the model lacks one.

        The candidates are asked about several times, as a whole and in parts: they are looked up once.
        """
        if len(self.rows) == len(rows) and np.array_equal(self.rows, rows):
            return self.told
        if contains(self.rows, rows).all():
            return self.told[:, np.searchsorted(self.rows, rows)]
        model_rows, known = view.known(rows)
        if known.all():
            told = self.sums.told(model_rows)
        else:
            told = np.zeros((self.told.shape[0], len(rows)), dtype=np.float32)
            told[:, known] = self.sums.told(model_rows[known])
        if (np.diff(rows) > 0).all():
            self.rows, self.told = rows, told
        return told


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
        return bool((query.model.row_in_model[query.basis] >= 0).any())

    def retrieve(self, query: Query, n: int) -> RowArray:
        view = _view(query)
        rows = view.row_in_catalogue[self._work(query, view).sums.best(n)]
        return rows[rows >= 0]

    def score(self, query: Query, rows: RowArray) -> FloatArray:
        return self.columns(query, rows)[self.name]

    def columns(self, query: Query, rows: RowArray) -> dict[str, FloatArray]:
        view = _view(query)
        weights = self._weights(query, view)
        return self._columns(query, rows, weights[None])[0]

    def columns_without(self, query: Query, rows: RowArray, reduced: Sequence[Without]) -> list[dict[str, FloatArray]]:
        places = [one.place for one in reduced]
        # The rows of the matrix stay; the one that has never been weighs nothing.
        weights = [
            query.basis_weights_without(places, half_life, self.floor) for half_life in self._half_lives(_view(query))
        ]
        return self._columns(query, rows, np.stack(weights, axis=1))

    def _columns(self, query: Query, rows: RowArray, weights: FloatArray) -> list[dict[str, FloatArray]]:
        """Return the columns for each of (n, 1 + variants, basis) weights."""
        view, names = _view(query), self._names()
        work = self._work(query, view)
        _, known = view.known(rows)
        told = work.about(rows, view)
        flat = weights.reshape(-1, weights.shape[-1])
        scores = (flat if len(told) == len(work.known) else flat[:, work.known]) @ told
        if not known.all():
            scores[:, ~known] = np.nan
        return [dict(zip(names, one, strict=True)) for one in scores.reshape(len(weights), len(names), len(rows))]

    def contributions(self, query: Query, rows: RowArray) -> FloatArray:
        return self._parts(query, rows, 0)

    def contributions_to(self, column: str, query: Query, rows: RowArray) -> FloatArray | None:
        names = self._names()
        return self._parts(query, rows, names.index(column)) if column in names else None

    def _parts(self, query: Query, rows: RowArray, variant: int) -> FloatArray:
        view = _view(query)
        work = self._work(query, view)
        weights = query.basis_weights(self._half_lives(view)[variant], self.floor)
        told = work.about(rows, view)
        if len(told) == len(work.known):
            return weights[:, None] * told
        parts = weights[work.known, None] * told
        spread = np.zeros((len(query.basis), len(rows)), dtype=np.float32)
        spread[work.known] = parts
        return spread

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
        half_life = resolve(view.bundle, self.name, self.half_life)
        sums = RowSums.of(entries, query.basis_weights(half_life, self.floor)[known])
        nothing = np.empty(0, dtype=np.int64)
        return _Work(known=known, sums=sums, rows=nothing, told=np.empty((len(entries.indptr) - 1, 0), np.float32))

    def _weights(self, query: Query, view: ModelView) -> FloatArray:
        """Return (1 + variants, basis)."""
        return np.stack([query.basis_weights(half_life, self.floor) for half_life in self._half_lives(view)])

    def _half_lives(self, view: ModelView) -> list[float | None]:
        return [resolve(view.bundle, self.name, half_life) for half_life in (self.half_life, *self.variants.values())]


def _view(query: Query) -> ModelView:
    assert query.model is not None  # noqa: S101 -- `enabled` said so
    return query.model
