"""Items that read alike: title, description, tags, category and creators, as unit vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recommender.arrays import BoolArray, FloatArray, RowArray, contains
from recommender.contracts import Query
from recommender.pipeline.model_view import ModelView
from recommender.pipeline.stages import Source, Without
from recommender.sources.half_life import HalfLife, resolve
from recommender.sources.top_rows import top_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """The history as the space has it."""

    vectors: FloatArray
    """(basis, dimension)."""
    known: BoolArray
    """(basis,) which items have one."""
    shares: FloatArray
    """(basis,) of each item in the profile, adding up to 1."""
    profile: FloatArray
    """(dimension,)."""


class Content(Source):
    """Inner product of the item's vector with the recency-weighted mean of the history's.

    Items that came in or changed after the build take part by the words they are described with (`content_space`).

    Parameters
    ----------
    half_life
        Recency of the history, in events; None weighs all alike, "tuned" takes what the rebuild found best.
    """

    name = "content"

    def __init__(self, half_life: HalfLife = None) -> None:
        self.half_life = half_life

    def enabled(self, query: Query) -> bool:
        if query.model is None or "content.vectors" not in query.model.bundle.arrays or not len(query.basis):
            return False
        return bool(query.model.content_vectors(query.basis)[1].any())

    def retrieve(self, query: Query, n: int) -> RowArray:
        view, profile = _view(query), self._work(query).profile
        if not profile.any():
            return np.empty(0, dtype=np.int64)
        placed = view.placed_by_words
        # More, because some of what it finds is no longer what it was.
        model_rows, _ = view.bundle.indexes["content"].search(
            profile, n + min(len(placed), n), effort=query.search_effort
        )
        rows = view.row_in_catalogue[model_rows]
        rows = rows[rows >= 0]
        if len(placed):
            # The index is as old as the build; what came in or changed since is few and compared one by one.
            rows = np.concatenate([rows[~contains(placed, rows)], placed])
            rows = rows[top_rows(self.score(query, rows), n)]
        return rows

    def score(self, query: Query, rows: RowArray) -> FloatArray:
        vectors, known = _view(query).content_vectors(rows)
        return _closeness(vectors, known, self._work(query).profile)

    def columns_without(self, query: Query, rows: RowArray, reduced: Sequence[Without]) -> list[dict[str, FloatArray]]:
        work, (vectors, known) = self._work(query), _view(query).content_vectors(rows)
        places = [one.place for one in reduced]
        weights = query.basis_weights_without(places, self._half_life(query)) * work.known
        return [{self.name: _closeness(vectors, known, profile)} for profile in _shares(weights) @ work.vectors]

    def contributions(self, query: Query, rows: RowArray) -> FloatArray:
        work, (vectors, known) = self._work(query), _view(query).content_vectors(rows)
        parts = (work.vectors * work.shares[:, None]) @ vectors.T
        parts[:, ~known] = 0
        return parts.astype(np.float32, copy=False)

    def _work(self, query: Query) -> _Work:
        """Return what is computed once a request."""
        if self.name not in query.scratch:
            vectors, known = _view(query).content_vectors(query.basis)
            shares = _shares(query.basis_weights(self._half_life(query)) * known)
            query.scratch[self.name] = _Work(vectors=vectors, known=known, shares=shares, profile=shares @ vectors)
        kept: _Work = query.scratch[self.name]
        return kept

    def _half_life(self, query: Query) -> float | None:
        return resolve(_view(query).bundle, self.name, self.half_life)


def _shares(weights: FloatArray) -> FloatArray:
    """Return the weights brought to a sum of 1 along the last axis, all 0 where they add up to nothing."""
    total = weights.sum(axis=-1, keepdims=True)
    shares: FloatArray = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
    return shares


def _closeness(vectors: FloatArray, known: BoolArray, profile: FloatArray) -> FloatArray:
    return np.where(known, vectors @ profile, np.float32(np.nan))


def _view(query: Query) -> ModelView:
    assert query.model is not None  # noqa: S101 -- `enabled` said so
    return query.model
