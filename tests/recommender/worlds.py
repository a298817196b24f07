"""Catalogues, models and queries small enough to work out by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from catalog import snapshot
from catalog.snapshot import Catalogue
from recommender.contracts import Candidates, History, Query
from recommender.pipeline import model_view
from recommender.registry.artifacts import Bundle
from recommender.sources.similar_users import folded_in
from recommender.training import neighbour_matrix
from recommender.training.dataset import Interactions, interactions
from recommender.vector_index.base import unit_rows
from recommender.vector_index.brute_force import ExactIndex

NOW = datetime(2024, 1, 10, tzinfo=UTC).timestamp()
"""The moment of every query."""


def day(number: int) -> datetime:
    """Return midnight of January `number`, 2024."""
    return datetime(2024, 1, number, tzinfo=UTC)


def catalogue_of(*items: Mapping[str, Any]) -> Catalogue:
    """Return a catalogue of items "a", "b", … with the keys 10, 20, …; what an item states replaces its defaults."""
    return snapshot.build(
        [
            {"id": 10 * number, "item_id": chr(96 + number), "title": chr(64 + number), **item}
            for number, item in enumerate(items, start=1)
        ],
        revision=1,
    )


def bundle_of(
    pks: Sequence[int],
    *,
    item_to_item: ArrayLike | None = None,
    item_to_item_balanced: ArrayLike | None = None,
    next_items: ArrayLike | None = None,
    random_walk: ArrayLike | None = None,
    session: ArrayLike | None = None,
    factors: ArrayLike | None = None,
    vectors: ArrayLike | None = None,
    popularity: ArrayLike | None = None,
    embeddings: Mapping[str, tuple[float, Mapping[int, Sequence[float]]]] | None = None,
    taken: ArrayLike | None = None,
    alpha: float = 1.0,
    regularization: float = 1.0,
) -> Bundle:
    """Return a model of the items `pks`; parts that are not given are missing, as after a build without events.

    `embeddings` is space → (weight, {row: vector}), rows ascending; `taken` is (users, items), 1 where somebody took
    something, and needs `factors`.
    """
    arrays: dict[str, Any] = {
        "item_pks": np.array(pks, dtype=np.int64),
        "popularity": np.array(np.zeros(len(pks)) if popularity is None else popularity, dtype=np.float32),
    }
    indexes: dict[str, ExactIndex] = {}
    matrices = {
        "item_to_item": item_to_item,
        "item_to_item_balanced": item_to_item_balanced,
        "next_items": next_items,
        "random_walk": random_walk,
        "session": session,
    }
    for name, matrix in matrices.items():
        if matrix is not None:
            arrays |= neighbour_matrix.arrays(name, sparse.csr_matrix(np.array(matrix, dtype=np.float32)))
    if factors is not None:
        stored = np.array(factors, dtype=np.float32)
        arrays["collaborative.factors"] = stored
        arrays["collaborative.gram"] = stored.T.astype(np.float64) @ stored.astype(np.float64)
        indexes["collaborative"] = ExactIndex(stored, "dot")
        indexes["collaborative_items"] = ExactIndex(unit_rows(stored), "cosine")
    if vectors is not None:
        stored = np.array(vectors, dtype=np.float32)
        arrays["content.vectors"] = stored
        indexes["content"] = ExactIndex(unit_rows(stored), "cosine")
    if taken is not None:
        users = sparse.csr_matrix(np.array(taken, dtype=np.float32))
        arrays |= {"similar_users.indptr": users.indptr, "similar_users.indices": users.indices}
        tastes = folded_in(users @ arrays["collaborative.factors"], arrays["collaborative.gram"], regularization)
        indexes["similar_users"] = ExactIndex(unit_rows(tastes), "cosine")
    for space, (_, by_row) in (embeddings or {}).items():
        arrays[f"embedding.{space}.rows"] = np.array(list(by_row), dtype=np.int64)
        stored = np.array(list(by_row.values()), dtype=np.float32)
        indexes[f"embedding.{space}"] = ExactIndex(unit_rows(stored), "cosine")
    weights = {space: weight for space, (weight, _) in (embeddings or {}).items()}
    return Bundle(
        name="v1",
        created_at="2024-01-01T00:00:00+00:00",
        meta={"collaborative": {"alpha": alpha, "regularization": regularization}, "embeddings": weights},
        arrays=arrays,
        indexes=indexes,
    )


def history_of(rows: Sequence[int], weights: Sequence[float] = (), seen: Iterable[int] | None = None) -> History:
    """Return a history of `rows`, newest first, a day apart; all weigh 1 and are seen unless stated."""
    return History(
        rows=np.array(rows, dtype=np.int64),
        weights=np.array(weights or [1.0] * len(rows), dtype=np.float32),
        occurred_at=NOW - 86_400.0 * np.arange(1, len(rows) + 1),
        seen=np.array(sorted(rows if seen is None else seen), dtype=np.int64),
    )


def query_of(catalogue: Catalogue, bundle: Bundle | None = None, **fields: Any) -> Query:
    """Return a query of 10 items at NOW."""
    query = Query(
        user_id="ann",
        limit=10,
        now=NOW,
        catalogue=catalogue,
        model=None if bundle is None else model_view.build(bundle, catalogue),
        history=History.empty(),
    )
    return replace(query, **fields)


def candidates_of(rows: Sequence[int], scores: Sequence[float], **source_scores: Sequence[float]) -> Candidates:
    """Return scored candidates."""
    candidates = Candidates.of(np.array(rows, dtype=np.int64))
    candidates.score = np.array(scores, dtype=np.float32)
    candidates.source_scores = {name: np.array(values, dtype=np.float32) for name, values in source_scores.items()}
    return candidates


def interactions_of(*pairs: tuple[int, int], n_users: int | None = None, n_items: int | None = None) -> Interactions:
    """Return (user row, item row) pairs of weight 1, a second apart in the order given."""
    users, items = (np.array(column, dtype=np.int64) for column in zip(*pairs, strict=True))
    return interactions(
        users=users,
        items=items,
        weights=np.ones(len(pairs), dtype=np.float32),
        occurred_at=np.arange(len(pairs), dtype=np.float64),
        n_users=int(users.max()) + 1 if n_users is None else n_users,
        n_items=int(items.max()) + 1 if n_items is None else n_items,
    )


def item_ids(catalogue: Catalogue, rows: Iterable[int]) -> list[str]:
    """Return the external ids of `rows`."""
    return [catalogue.cards[row].item_id for row in rows]
