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


class _Equations:
    """The left side of the user's equations, kept as the inverse that all users share and what his items change.

    An item changes it by (c − 1)⁺ y yᵀ, nothing where c is at most 1: with recency weights few of a long history do. By
    the Woodbury identity (A + UᵀU)⁻¹ = A⁻¹ − A⁻¹Uᵀ(I + UA⁻¹Uᵀ)⁻¹UA⁻¹.
    """

    def __init__(self, inverse: NDArray[np.float64], factors: NDArray[np.float64], confidence: NDArray[np.float64]):
        """Take (f, f) A⁻¹, (h, f) the history's factors and (h,) their confidence."""
        self._inverse = inverse
        confident = np.flatnonzero(confidence > 1.0)
        scaled = factors[confident] * np.sqrt(confidence[confident] - 1.0)[:, None]
        self._changed = scaled @ inverse
        self._core = self._changed @ scaled.T
        self._core[np.diag_indices_from(self._core)] += 1.0

    def solve(self, right: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (f,) or (f, n), the solution for a right side of that shape."""
        solution = self._inverse @ right
        if len(self._core):
            solution -= self._changed.T @ np.linalg.solve(self._core, self._changed @ right)
        return solution


@dataclass(frozen=True, slots=True, kw_only=True)
class _FoldIn:
    """The user's equations and their solution; f factors, h history items that the model knows."""

    equations: _Equations
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
        model_rows, _ = index.search(vector, n, effort=query.search_effort)
        rows = view.row_in_catalogue[model_rows]
        return rows[rows >= 0]

    def score(self, query: Query, rows: RowArray) -> FloatArray:
        factors, known = _factors(query, rows)
        scores = factors @ self._vector(query)
        if query.seed is not None:
            norms = np.linalg.norm(factors, axis=1)
            scores = np.divide(scores, norms, out=np.full_like(scores, np.nan), where=norms > 0)
        return np.where(known, scores, np.float32(np.nan))

    def columns_without(self, query: Query, rows: RowArray, reduced: Sequence[Without]) -> list[dict[str, FloatArray]]:
        work, (factors, known) = self._work(query), _factors(query, rows)
        places = [one.place for one in reduced]
        weights = query.basis_weights_without(places, self._half_life(query))[:, work.known]
        vectors = [_solution(_view(query), work.factors, confidence)[1] for confidence in _confidence(query, weights)]
        return [{self.name: np.where(known, factors @ vector, np.float32(np.nan))} for vector in vectors]

    def contributions(self, query: Query, rows: RowArray) -> FloatArray | None:
        """Split the score by history item: it is linear in the items' confidence-weighted factors."""
        if query.seed is not None:
            return np.nan_to_num(self.score(query, rows))[None, :]
        work = self._work(query)
        targets, known_rows = _factors(query, rows)
        parts = np.zeros((len(query.basis), len(rows)), dtype=np.float32)
        solved = work.equations.solve(targets.T.astype(np.float64))
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
        model_rows, known = view.known(query.basis)
        factors = view.array("collaborative.factors").take(model_rows[known], axis=0).astype(np.float64)
        confidence = _confidence(query, query.basis_weights(self._half_life(query))[known])
        equations, vector = _solution(view, factors, confidence)
        return _FoldIn(equations=equations, factors=factors, confidence=confidence, known=known, vector=vector)

    def _half_life(self, query: Query) -> float | None:
        return resolve(_view(query).bundle, self.name, self.half_life)


def _confidence(query: Query, weights: FloatArray) -> NDArray[np.float64]:
    alpha: float = _view(query).bundle.meta["collaborative"]["alpha"]
    return alpha * weights.astype(np.float64)


def _solution(
    view: ModelView, factors: NDArray[np.float64], confidence: NDArray[np.float64]
) -> tuple[_Equations, FloatArray]:
    equations = _Equations(view.once("collaborative.inverse", lambda: _inverse(view)), factors, confidence)
    return equations, equations.solve(confidence @ factors).astype(np.float32)


def _inverse(view: ModelView) -> NDArray[np.float64]:
    """Return (f, f) (YᵀY + λI)⁻¹."""
    gram = view.array("collaborative.gram")
    regularization: float = view.bundle.meta["collaborative"]["regularization"]
    return np.linalg.inv(gram + regularization * np.eye(len(gram))).astype(np.float64, copy=False)


def _factors(query: Query, rows: RowArray) -> tuple[FloatArray, BoolArray]:
    """Return (len(rows), factors) those of the items, and which of them the model knows."""
    model_rows, known = _view(query).known(rows)
    return _view(query).array("collaborative.factors").take(model_rows, axis=0), known


def _view(query: Query) -> ModelView:
    assert query.model is not None  # noqa: S101 -- `enabled` said so
    return query.model
