"""Matrix factorisation: the user's vector is folded in from his recent history at request time.

Hu, Koren and Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", 2008, equation 4:
x = (YᵀY + Yₕᵀ(C−I)Yₕ + λI)⁻¹ Yₕᵀ c, over the history's items h only, with confidence c = α · weight. On the
left side c counts at least 1: an old event may pull less than an unseen item's 1, but must not push away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.arrays import BoolArray, FloatArray, RowArray
from recommender.contracts import Query
from recommender.pipeline.model_view import ModelView
from recommender.pipeline.stages import Source, Without
from recommender.sources.half_life import HalfLife, resolve


@dataclass(frozen=True, slots=True, kw_only=True)
class _FoldIn:
    """The user's equations and their solution; f factors, h history items that the model knows."""

    system: NDArray[np.float64]
    """(f, f), the left side."""
    factors: NDArray[np.float64]
    """(h, f) of the history items."""
    confidence: NDArray[np.float64]
    """(h,)."""
    known: NDArray[np.bool_]
    """(basis,) which items those are."""
    vector: FloatArray
    """(f,), the solution."""


class Collaborative(Source):
    """Inner product of the folded-in user and the item; for a seed, the cosine of two items' factors.

    Parameters
    ----------
    half_life
        Recency of the history, in events; None weighs all alike, "tuned" takes what the rebuild found best.
    """

    name = "collaborative"

    def __init__(self, half_life: HalfLife = None) -> None:
        self.half_life = half_life

    def enabled(self, query: Query) -> bool:
        if query.model is None or "collaborative.factors" not in query.model.bundle.arrays or not len(query.basis):
            return False
        return bool(query.model.known(query.basis)[1].any())

    def retrieve(self, query: Query, n: int) -> RowArray:
        view, vector = _view(query), self._vector(query)
        if not vector.any():
            return np.empty(0, dtype=np.int64)
        index = view.bundle.indexes["collaborative" if query.seed is None else "collaborative_items"]
        model_rows, _ = index.search(vector, n)
        rows = view.row_in_catalogue[model_rows]
        return rows[rows >= 0]

    def score(self, query: Query, rows: RowArray) -> FloatArray:
        return self._products(query, *_factors(query, rows))

    def columns_without(self, query: Query, rows: RowArray, reduced: Sequence[Without]) -> list[dict[str, FloatArray]]:
        factors, known = _factors(query, rows)
        return [{self.name: self._products(one.query, factors, known)} for one in reduced]

    def _products(self, query: Query, factors: FloatArray, known: BoolArray) -> FloatArray:
        scores = factors @ self._vector(query)
        if query.seed is not None:
            norms = np.linalg.norm(factors, axis=1)
            scores = np.divide(scores, norms, out=np.full_like(scores, np.nan), where=norms > 0)
        return np.where(known, scores, np.float32(np.nan)).astype(np.float32)

    def contributions(self, query: Query, rows: RowArray) -> FloatArray | None:
        """Split the score by history item: it is linear in the items' confidence-weighted factors."""
        if query.seed is not None:
            return np.nan_to_num(self.score(query, rows))[None, :]
        view, work = _view(query), self._work(query)
        model_rows, known_rows = view.known(rows)
        targets = view.array("collaborative.factors").take(model_rows, axis=0).astype(np.float64)
        parts = np.zeros((len(query.basis), len(rows)), dtype=np.float32)
        solved = np.linalg.solve(work.system, targets.T)
        parts[work.known] = (work.factors * work.confidence[:, None]) @ solved
        parts[:, ~known_rows] = 0
        return parts

    def _vector(self, query: Query) -> FloatArray:
        """Return (factors,) float32: the folded-in user, or the seed's factors brought to length 1."""
        if query.seed is None:
            return self._work(query).vector
        view = _view(query)
        vector: FloatArray = view.array("collaborative.factors")[view.row_in_model[query.seed]]
        norm = np.linalg.norm(vector)
        return vector / norm if norm > 0 else vector

    def _work(self, query: Query) -> _FoldIn:
        if self.name not in query.scratch:
            query.scratch[self.name] = self._fold_in(query, _view(query))
        kept: _FoldIn = query.scratch[self.name]
        return kept

    def _fold_in(self, query: Query, view: ModelView) -> _FoldIn:
        parameters = view.bundle.meta["collaborative"]
        model_rows, known = view.known(query.basis)
        factors = view.array("collaborative.factors").take(model_rows[known], axis=0).astype(np.float64)
        weights = query.basis_weights(resolve(view.bundle, self.name, self.half_life))[known]
        confidence = parameters["alpha"] * weights.astype(np.float64)
        system = view.array("collaborative.gram") + (factors.T * np.maximum(confidence - 1.0, 0.0)) @ factors
        system[np.diag_indices_from(system)] += parameters["regularization"]
        vector = np.linalg.solve(system, factors.T @ confidence).astype(np.float32)
        return _FoldIn(system=system, factors=factors, confidence=confidence, known=known, vector=vector)


def _factors(query: Query, rows: RowArray) -> tuple[FloatArray, BoolArray]:
    """Return (len(rows), factors) those of the items, and which of them the model knows."""
    model_rows, known = _view(query).known(rows)
    return _view(query).array("collaborative.factors").take(model_rows, axis=0), known


def _view(query: Query) -> ModelView:
    assert query.model is not None  # noqa: S101 -- `enabled` said so
    return query.model
