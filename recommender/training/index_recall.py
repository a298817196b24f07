"""How much the indexes of a build miss, measured with the very queries that serving would make.

The queries are noted while the sources of the recipes retrieve for a sample of users and of seeds. An item's own vector
would flatter an index: a folded-in user lies elsewhere than any item.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from catalog.snapshot import Catalogue
from recommender.contracts import History, Query
from recommender.pipeline import model_view, recipes
from recommender.pipeline.model_view import ModelView
from recommender.registry.artifacts import Bundle
from recommender.training.dataset import Interactions
from recommender.training.evaluation import history_of
from recommender.vector_index.base import Exclusion, Rows, Scores, VectorIndex, Vectors
from recommender.vector_index.recall import recall_at_k

SAMPLE = 200
"""Users, and seeds: the recall of 200 queries at 10 each is known to about 0.01."""
K = 10


class NotingIndex(VectorIndex):
    """Answers as another index does, and keeps the queries."""

    def __init__(self, index: VectorIndex) -> None:
        self.index = index
        self.vectors, self.metric, self.exact = index.vectors, index.metric, index.exact
        self.rows, self.factors = index.rows, index.factors
        self.queries: list[Vectors] = []

    def search(
        self, query: Vectors, k: int, *, exclude: Exclusion | None = None, effort: float = 1.0
    ) -> tuple[Rows, Scores]:
        self.queries.append(query)
        return self.index.search(query, k, exclude=exclude, effort=effort)


def measure(bundle: Bundle, catalogue: Catalogue, data: Interactions, seed: int) -> dict[str, float]:
    """Return recall@10 against exact search by index, 0..1, rounded to four places.

    Parameters
    ----------
    bundle
        Opened as serving would open it: below its `exact_below` an index scans, and misses nothing.
    data
        Where the users' histories come from; its item rows are rows of `catalogue`.
    seed
        The same one draws the same users and seeds.

    An index that no source of the recipes "personalized" and "similar" asks is left out.
    """
    noting = {name: NotingIndex(index) for name, index in bundle.indexes.items()}
    view = model_view.build(replace(bundle, indexes=noting), catalogue)
    rng = np.random.default_rng(seed)
    for query in _of_users(view, catalogue, data, rng):
        _retrieve("personalized", query)
    for query in _of_seeds(view, catalogue, rng):
        _retrieve("similar", query)
    return {
        name: 1.0 if index.exact else round(recall_at_k(index.index, index.vectors, np.stack(index.queries), K), 4)
        for name, index in noting.items()
        if index.queries
    }


def _retrieve(recipe: str, query: Query) -> None:
    for slot in recipes.get(recipe).sources:
        if slot.n and slot.source.enabled(query):
            slot.source.retrieve(query, K)


def _of_users(view: ModelView, catalogue: Catalogue, data: Interactions, rng: np.random.Generator) -> Iterator[Query]:
    starts = data.user_starts()
    for user in _drawn(np.unique(data.users), rng):
        yield _query(view, catalogue, history=history_of(data, starts, user))


def _of_seeds(view: ModelView, catalogue: Catalogue, rng: np.random.Generator) -> Iterator[Query]:
    for row in _drawn(np.arange(len(catalogue)), rng):
        yield _query(view, catalogue, history=History.empty(), seed=row)


def _query(view: ModelView, catalogue: Catalogue, *, history: History, seed: int | None = None) -> Query:
    return Query(user_id="", limit=K, now=0.0, catalogue=catalogue, model=view, history=history, seed=seed)


def _drawn(rows: NDArray[np.int64], rng: np.random.Generator) -> list[int]:
    drawn: list[int] = rng.permutation(rows)[:SAMPLE].tolist()
    return drawn
