"""Items that are near in the embedding spaces of the catalogue, blended by the spaces' weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.arrays import FloatArray, RowArray
from recommender.contracts import Query
from recommender.pipeline.model_view import ModelView
from recommender.pipeline.stages import Source
from recommender.vector_index.base import VectorIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class _Space:
    """One space, and the basis of the request in it."""

    weight: float
    index: VectorIndex
    rows: RowArray
    """(n,) model row of each row of the index, ascending."""
    known: NDArray[np.bool_]
    """(basis,) which items of the basis have a vector."""
    vectors: FloatArray
    """(known, dimension) theirs, of unit length unless the metric is "dot"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    spaces: list[_Space]
    shares: FloatArray
    """(basis,) of each item in the score, adding up to 1; 0 for one without any vector."""


class Embeddings(Source):
    """score(j) = Σ over history items h of share(h) · likeness(h, j).

    likeness(h, j) = Σ w(s) · closeness in s / Σ w(s), over the spaces s in which both have a vector, 0 when there is
    none: an item without audio is judged by its text alone. 0.5 audio + 0.3 text + 0.2 metadata becomes 0.6 text + 0.4
    metadata for it. Closeness is the space's own metric, cosine or inner product.

    Each space's index proposes; what it proposes is then scored in all spaces.

    Parameters
    ----------
    weights
        Space → weight instead of those the spaces themselves state; spaces not named do not count.
    half_life
        Recency of the history, in events; None weighs all alike.
    """

    name = "embeddings"

    def __init__(self, weights: Mapping[str, float] | None = None, half_life: float | None = None) -> None:
        for space, weight in (weights or {}).items():
            if not (isinstance(weight, int | float) and 0 <= weight < math.inf):
                raise ValueError(f"the weight of {space!r} is {weight!r}; it must be a number of 0 or more")
        self.weights = weights
        self.half_life = half_life

    def enabled(self, query: Query) -> bool:
        return query.model is not None and len(query.basis) > 0 and bool(self._work(query).shares.any())

    def retrieve(self, query: Query, n: int) -> RowArray:
        view, work = _view(query), self._work(query)
        proposed = [np.empty(0, dtype=np.int64)]
        for space in work.spaces:
            profile = work.shares[space.known] @ space.vectors
            if profile.any():
                found, _ = space.index.search(profile, n, effort=query.search_effort)
                proposed.append(view.row_in_catalogue[space.rows[found]])
        rows = np.unique(np.concatenate(proposed))
        rows = rows[rows >= 0]
        return rows[np.argsort(-self.score(query, rows), kind="stable")[:n]]

    def score(self, query: Query, rows: RowArray) -> FloatArray:
        parts, known = self._parts(query, rows)
        return np.where(known, parts.sum(axis=0), np.float32(np.nan)).astype(np.float32)

    def contributions(self, query: Query, rows: RowArray) -> FloatArray:
        return self._parts(query, rows)[0]

    def _parts(self, query: Query, rows: RowArray) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Return (basis, len(rows)) what each adds to each score, and which rows share a space with any of them."""
        work = self._work(query)
        model_rows, in_model = _view(query).known(rows)
        shape = (len(query.basis), len(rows))
        likeness, weight = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
        for space in work.spaces:
            positions, known = _positions(space.rows, model_rows)
            known &= in_model
            both = np.ix_(space.known, known)
            likeness[both] += space.weight * (space.vectors @ space.index.vectors[positions[known]].T)
            weight[both] += space.weight
        likeness = np.divide(likeness, weight, out=likeness, where=weight > 0)
        comparable: NDArray[np.bool_] = np.any(weight > 0, axis=0)
        return likeness * work.shares[:, None], comparable

    def _work(self, query: Query) -> _Work:
        """Return what is looked up once a request."""
        if self.name not in query.scratch:
            query.scratch[self.name] = self._look_up(query)
        kept: _Work = query.scratch[self.name]
        return kept

    def _look_up(self, query: Query) -> _Work:
        view = _view(query)
        model_rows, in_model = view.known(query.basis)
        spaces = []
        anywhere = np.zeros(len(query.basis), dtype=bool)
        for name, weight in self._weights(view).items():
            index, rows = view.bundle.indexes[f"embedding.{name}"], view.array(f"embedding.{name}.rows")
            positions, known = _positions(rows, model_rows)
            known &= in_model
            anywhere |= known
            vectors = index.vectors[positions[known]]
            spaces.append(_Space(weight=weight, index=index, rows=rows, known=known, vectors=vectors))
        shares = query.basis_weights(self.half_life) * anywhere
        total = shares.sum()
        return _Work(spaces=spaces, shares=shares / total if total > 0 else shares)

    def _weights(self, view: ModelView) -> dict[str, float]:
        """Return the positive weights by space, of spaces that this model has."""
        stated: Mapping[str, float] = view.bundle.meta.get("embeddings", {})
        weights = stated if self.weights is None else self.weights
        return {name: float(weight) for name, weight in weights.items() if name in stated and weight > 0}


def _positions(rows: RowArray, wanted: RowArray) -> tuple[RowArray, NDArray[np.bool_]]:
    """Return where each of `wanted` stands in `rows` (ascending, not empty), and whether it does."""
    positions = np.minimum(np.searchsorted(rows, wanted), len(rows) - 1)
    return positions, rows[positions] == wanted


def _view(query: Query) -> ModelView:
    assert query.model is not None  # noqa: S101 -- `enabled` said so
    return query.model
