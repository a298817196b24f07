"""Items that read alike: title, description, tags, category and creators, as unit vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recommender.arrays import BoolArray, FloatArray, RowArray
from recommender.contracts import Query
from recommender.pipeline.model_view import ModelView
from recommender.pipeline.stages import Source, Without
from recommender.sources.half_life import HalfLife, resolve
from recommender.sources.top_rows import top_rows


class Content(Source):
    """Inner product of the item's vector with the recency-weighted mean of the history's.

    Items newer than the build take part by the words they are described with (`content_space`).

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
        view, (_, profile) = _view(query), self._work(query)
        if not profile.any():
            return np.empty(0, dtype=np.int64)
        model_rows, _ = view.bundle.indexes["content"].search(profile, n)
        rows = view.row_in_catalogue[model_rows]
        rows = rows[rows >= 0]
        if len(view.newer):
            # The index is as old as the build; what came in since is few and compared one by one.
            rows = np.concatenate([rows, view.newer])
            rows = rows[top_rows(self.score(query, rows), n)]
        return rows

    def score(self, query: Query, rows: RowArray) -> FloatArray:
        return self._closeness(query, *_view(query).content_vectors(rows))

    def columns_without(self, query: Query, rows: RowArray, reduced: Sequence[Without]) -> list[dict[str, FloatArray]]:
        vectors, known = _view(query).content_vectors(rows)
        return [{self.name: self._closeness(one.query, vectors, known)} for one in reduced]

    def _closeness(self, query: Query, vectors: FloatArray, known: BoolArray) -> FloatArray:
        _, profile = self._work(query)
        return np.where(known, vectors @ profile, np.float32(np.nan)).astype(np.float32)

    def contributions(self, query: Query, rows: RowArray) -> FloatArray:
        vectors, known = _view(query).content_vectors(rows)
        weighted, _ = self._work(query)
        parts: FloatArray = weighted @ vectors.T
        parts[:, ~known] = 0
        return parts

    def _work(self, query: Query) -> tuple[FloatArray, FloatArray]:
        """Return (basis, dimension) float32, each item's share of the profile, and their sum; once a request."""
        if self.name not in query.scratch:
            view = _view(query)
            vectors, known = view.content_vectors(query.basis)
            weights = query.basis_weights(resolve(view.bundle, self.name, self.half_life)) * known
            total = weights.sum()
            shares = weights / total if total > 0 else weights
            weighted = (vectors * shares[:, None]).astype(np.float32)
            query.scratch[self.name] = weighted, weighted.sum(axis=0)
        kept: tuple[FloatArray, FloatArray] = query.scratch[self.name]
        return kept


def _view(query: Query) -> ModelView:
    assert query.model is not None  # noqa: S101 -- `enabled` said so
    return query.model
