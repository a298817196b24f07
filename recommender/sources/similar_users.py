"""What the people with the most similar taste have taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.arrays import FloatArray, RowArray
from recommender.contracts import Query
from recommender.pipeline.model_view import ModelView
from recommender.pipeline.stages import Source
from recommender.sources.top_rows import top_rows

INDEX = "similar_users"
"""Index of users, and the prefix of the (users, items) CSR arrays of what they took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """The neighbours and what they took, one entry a neighbour and item."""

    owners: NDArray[np.int64]
    """(taken,) which neighbour, 0..k-1."""
    items: NDArray[np.int64]
    """(taken,) model rows."""
    shares: FloatArray
    """(basis, k): what each item of the basis adds to the cosine of each neighbour."""
    scores: FloatArray
    """(model items,)."""


class SimilarUsers(Source):
    """score(j) = Σ of the cosines of those `neighbours` nearest users who have taken item j.

    The user is folded in from his history: x = (YᵀY + λI)⁻¹ Σ weight · y over its items' factors y, as the users of
    the index were (`training.similar_users`). Hu, Koren and Volinsky, 2008, equation 4 with confidences of at most 1.

    Parameters
    ----------
    half_life
        Recency of the history, in events; None weighs all alike.
    neighbours
        How many users are asked; those of no positive cosine never are.
    """

    name = "similar_users"

    def __init__(self, half_life: float | None = 10.0, neighbours: int = 30) -> None:
        self.half_life = half_life
        self.neighbours = neighbours

    def enabled(self, query: Query) -> bool:
        if query.model is None or INDEX not in query.model.bundle.indexes or not len(query.basis):
            return False
        return bool(query.model.known(query.basis)[1].any())

    def retrieve(self, query: Query, n: int) -> RowArray:
        view = _view(query)
        scores = self._work(query, view).scores
        best = top_rows(np.where(scores > 0, scores, np.float32(np.nan)), n)
        rows = view.row_in_catalogue[best]
        return rows[rows >= 0]

    def score(self, query: Query, rows: RowArray) -> FloatArray:
        view = _view(query)
        return view.spread(self._work(query, view).scores, rows)

    def contributions(self, query: Query, rows: RowArray) -> FloatArray:
        """Split the score by history item: a cosine is linear in the folded-in items."""
        view = _view(query)
        work = self._work(query, view)
        model_rows, known = view.known(rows)
        column_of = np.full(view.bundle.items, -1, dtype=np.int64)
        column_of[model_rows[known]] = np.flatnonzero(known)
        columns = column_of[work.items]
        hits = columns >= 0
        took = np.zeros((work.shares.shape[1], len(rows)), dtype=np.float32)
        took[work.owners[hits], columns[hits]] = 1
        parts: FloatArray = work.shares @ took
        return parts

    def _work(self, query: Query, view: ModelView) -> _Work:
        """Return what is computed once a request."""
        if self.name not in query.scratch:
            query.scratch[self.name] = self._ask_around(query, view)
        kept: _Work = query.scratch[self.name]
        return kept

    def _ask_around(self, query: Query, view: ModelView) -> _Work:
        model_rows, known = view.known(query.basis)
        weights = query.basis_weights(self.half_life) * known
        profile = view.array("collaborative.factors").take(model_rows, axis=0) * weights[:, None]
        regularization = view.bundle.meta["collaborative"]["regularization"]
        folded = folded_in(profile, view.array("collaborative.gram"), regularization)
        length = float(np.linalg.norm(folded.sum(axis=0))) or 1.0
        index = view.bundle.indexes[INDEX]
        users, cosines = index.search(folded.sum(axis=0), self.neighbours, effort=query.search_effort)
        users, cosines = users[cosines > 0], cosines[cosines > 0]
        starts, taken = view.array(f"{INDEX}.indptr"), view.array(f"{INDEX}.indices")
        lists = [taken[starts[user] : starts[user + 1]] for user in users.tolist()]
        items = np.concatenate([np.empty(0, dtype=np.int64), *lists])
        owners = np.repeat(np.arange(len(users)), [len(found) for found in lists])
        return _Work(
            owners=owners,
            items=items,
            shares=(folded @ index.vectors[users].T / length).astype(np.float32),
            scores=np.bincount(items, cosines[owners], minlength=view.bundle.items).astype(np.float32),
        )


def folded_in(profiles: FloatArray, gram: NDArray[np.float64], regularization: float) -> FloatArray:
    """Return (n, factors) float32, (YᵀY + λI)⁻¹ p for each row p of `profiles`, a weighted sum of item factors."""
    system = gram + regularization * np.eye(len(gram))
    folded: FloatArray = np.linalg.solve(system, profiles.T.astype(np.float64)).T.astype(np.float32)
    return folded


def _view(query: Query) -> ModelView:
    assert query.model is not None  # noqa: S101 -- `enabled` said so
    return query.model
