"""Matrix factorisation: the user's vector is folded in from his recent history at request time.

Hu, Koren and Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", 2008, equation 4:
x = (YᵀY + Yₕᵀ(C−I)Yₕ + λI)⁻¹ Yₕᵀ c, over the history's items h only, with confidence c = α · weight. On the
left side c counts at least 1: an old event may pull less than an unseen item's 1, but must not push away.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.contracts import FloatArray, Query, RowArray
from recommender.pipeline.model_view import ModelView
from recommender.pipeline.stages import Source


class Collaborative(Source):
    """Inner product of the folded-in user and the item; for a seed, the cosine of two items' factors.

    Parameters
    ----------
    half_life
        Recency of the history, in events; None weighs all alike.
    """

    name = "collaborative"

    def __init__(self, half_life: float | None = None) -> None:
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
        view, vector = _view(query), self._vector(query)
        model_rows, known = view.known(rows)
        factors = view.array("collaborative.factors")[model_rows]
        scores = factors @ vector
        if query.seed is not None:
            norms = np.linalg.norm(factors, axis=1)
            scores = np.divide(scores, norms, out=np.full_like(scores, np.nan), where=norms > 0)
        return np.where(known, scores, np.float32(np.nan)).astype(np.float32)

    def contributions(self, query: Query, rows: RowArray) -> FloatArray | None:
        """Split the score by history item: it is linear in the items' confidence-weighted factors."""
        if query.seed is not None:
            return np.nan_to_num(self.score(query, rows))[None, :]
        view = _view(query)
        system, history_factors, confidence, known = self._equations(query, view)
        model_rows, known_rows = view.known(rows)
        targets = np.asarray(view.array("collaborative.factors")[model_rows], dtype=np.float64)
        parts = np.zeros((len(query.basis), len(rows)), dtype=np.float32)
        solved = np.linalg.solve(system, targets.T)
        parts[known] = (history_factors * confidence[:, None]) @ solved
        parts[:, ~known_rows] = 0
        return parts

    def _vector(self, query: Query) -> FloatArray:
        """Return (factors,) float32, computed once a request."""
        if self.name not in query.scratch:
            view = _view(query)
            if query.seed is not None:
                vector = np.array(view.array("collaborative.factors")[view.row_in_model[query.seed]])
                norm = np.linalg.norm(vector)
                vector = vector / norm if norm > 0 else vector
            else:
                system, history_factors, confidence, _ = self._equations(query, view)
                vector = np.linalg.solve(system, history_factors.T @ confidence)
            query.scratch[self.name] = vector.astype(np.float32)
        kept: FloatArray = query.scratch[self.name]
        return kept

    def _equations(
        self, query: Query, view: ModelView
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """Return (system (f, f), history factors (h, f), confidence (h,), mask of known history items)."""
        parameters = view.bundle.meta["collaborative"]
        model_rows, known = view.known(query.basis)
        factors = np.asarray(view.array("collaborative.factors")[model_rows[known]], dtype=np.float64)
        confidence = parameters["alpha"] * query.basis_weights(self.half_life)[known].astype(np.float64)
        system = (
            view.array("collaborative.gram")
            + (factors.T * np.maximum(confidence - 1.0, 0.0)) @ factors
            + parameters["regularization"] * np.eye(factors.shape[1])
        )
        return system, factors, confidence, known


def _view(query: Query) -> ModelView:
    assert query.model is not None  # noqa: S101 -- `enabled` said so
    return query.model
