"""What to beat: popularity, and models of the `implicit` library as they come, ranking every unseen item."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender
from implicit.utils import ParameterWarning
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

LIST_LENGTH = 20

Scores = NDArray[np.number[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Lists of one baseline."""

    name: str
    lists: dict[int, list[int]]
    fit_seconds: float


def all_baselines(taken: sparse.csr_matrix, users: Iterable[int]) -> Iterable[Baseline]:
    """Yield each baseline's lists for `users`; `taken` is (users, items) float32, 1 where somebody took something."""
    chosen = list(users)
    fits: dict[str, Callable[[sparse.csr_matrix], Callable[[int], Scores]]] = {
        "popularity": _popularity,
        "implicit ALS": _als,
        "implicit cosine item-item": lambda matrix: _neighbours(CosineRecommender(K=100), matrix),
        "implicit BM25 item-item": lambda matrix: _neighbours(BM25Recommender(K=100), matrix),
    }
    for name, fit in fits.items():
        started = time.perf_counter()
        score = fit(taken)
        seconds = time.perf_counter() - started
        yield Baseline(name=name, fit_seconds=seconds, lists={user: _unseen(taken, score, user) for user in chosen})


def _unseen(taken: sparse.csr_matrix, score: Callable[[int], Scores], user: int) -> list[int]:
    scores = np.array(score(user), dtype=np.float64)
    scores[taken.indices[taken.indptr[user] : taken.indptr[user + 1]]] = -np.inf
    best: list[int] = np.argsort(-scores, kind="stable")[:LIST_LENGTH].tolist()
    return best


def _popularity(taken: sparse.csr_matrix) -> Callable[[int], Scores]:
    counts = np.asarray(taken.sum(axis=0)).ravel()
    return lambda user: counts


def _als(taken: sparse.csr_matrix) -> Callable[[int], Scores]:
    model = AlternatingLeastSquares(factors=64, random_state=1, num_threads=0)
    with threadpool_limits(limits=1, user_api="blas"):
        model.fit(taken, show_progress=False)
    return lambda user: model.item_factors @ model.user_factors[user]


def _neighbours(model: CosineRecommender | BM25Recommender, taken: sparse.csr_matrix) -> Callable[[int], Scores]:
    with warnings.catch_warnings():
        # It converts its own intermediate matrix, and warns of that.
        warnings.simplefilter("ignore", ParameterWarning)
        model.fit(taken, show_progress=False)
    similarity = model.similarity
    return lambda user: (taken[user] @ similarity).toarray().ravel()
