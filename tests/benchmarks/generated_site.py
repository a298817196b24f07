"""A site of any size: catalogue, people with histories and a model of it, generated, the same ones every time.

The model's arrays have the names, types and sizes that training gives them at this size, with twenty events an item:
popularity falls by rank^-0.8, an item has ten neighbours for each time it was taken, up to the configured number, and
only the items that fit have rows in the dense models. What it recommends means nothing; what it costs to serve does.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from catalog.redis_store import client, key
from interactions import popularity
from interactions.importing import import_dataset
from recommender import conf
from recommender.ranking import learned
from recommender.ranking.features import names
from recommender.registry.storage import StoredVersion
from recommender.training import popularity_over_time, settings, variety
from recommender.training.train import Trained
from recommender.vector_index.base import Metric
from recommender.vector_index.handler import backend
from tests.benchmarks.republishing import publish

EVENTS_AN_ITEM = 20
FALL = 0.8
"""Popularity is rank to minus this."""
NEIGHBOURS_AN_EVENT = 10
USERS = 100
MEDIAN_HISTORY = 70
TASTES = 200
SINCE = datetime(2000, 1, 1, tzinfo=UTC)
COLUMNS = (
    "collaborative", "content", "item_to_item", "item_to_item.even", "item_to_item.recent", "item_to_item_balanced",
    "next_items", "next_items.last", "popular", "random_walk", "session",
)  # fmt: skip
"""Source columns that a learned ranking of the usual recipe compares."""
_BLOCK = 50_000
_TABLES = "catalog_item, interactions_userprofile, interactions_event, interactions_impression"


def fill(items: int, folder: Path, step: Callable[[str], None]) -> StoredVersion:
    """Empty the site, fill it with `items` items and publish a model of them."""
    rng = np.random.default_rng(items)
    rank = rng.permutation(items)
    step(f"{items:,} items: catalogue")
    _write_items(items)
    step(f"{items:,} items: people")
    _write_people(np.argsort(rank), folder)
    step(f"{items:,} items: model")
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM catalog_item ORDER BY id")
        pks = np.array(cursor.fetchall(), dtype=np.int64)[:, 0]
    made = model(rank, pks, rng)
    return publish(made.arrays, made.meta, made.indexes)


def _write_items(items: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {_TABLES} RESTART IDENTITY CASCADE")
        cursor.execute(
            """
            INSERT INTO catalog_item (item_id, title, description, category, tags, creators, language, countries,
                image_url, url, published_at, is_active, attributes, popularity, created_at, updated_at)
            SELECT 'i' || n, 'Item ' || n, '', 'category ' || n %% 20, ARRAY['tag ' || n %% 300, 'tag ' || n %% 7],
                '{}', '', '{}', '', '', %s::timestamptz + n %% 9000 * interval '1 day', true, '{}', 0, now(), now()
            FROM generate_series(0, %s - 1) AS n
            """,
            [SINCE, items],
        )
        cursor.execute("ANALYZE catalog_item")
    # What Redis knows of users and trends is of the site before.
    stale = list(client().scan_iter(f"{key()}*", count=1000))
    if stale:
        client().delete(*stale)


def _write_people(by_rank: NDArray[np.int64], folder: Path) -> None:
    """Import their events; histories are as long at every size, and of what is popular."""
    rng = np.random.default_rng(1)
    lengths = np.clip(rng.lognormal(np.log(MEDIAN_HISTORY), 0.8, USERS).astype(int), 10, 500)
    until = datetime.now(UTC) - timedelta(hours=1)
    with (folder / "events.csv").open("w") as file:
        file.write("user_id,item_id,timestamp,event_type\n")
        for user, length in enumerate(lengths.tolist()):
            ranks = (len(by_rank) * rng.random(length) ** (1 / (1 - FALL))).astype(np.int64)
            for place, item in enumerate(by_rank[ranks].tolist()):
                at = until - timedelta(hours=7 * (length - place), seconds=user)
                file.write(f"u{user},i{item},{at.isoformat()},watch\n")
    import_dataset(folder)
    popularity.refresh()


def model(rank: NDArray[np.int64], pks: NDArray[np.int64], rng: np.random.Generator) -> Trained:
    """Return what `training.train` and the choice of a ranking would; item `pks[i]` is the `rank[i]`-th most taken."""
    items, chosen = len(rank), settings.untuned()
    taken = (1.0 + rank) ** -FALL
    taken *= EVENTS_AN_ITEM * items / taken.sum()
    dense = rank < int(conf.get("DENSE_ITEMS_AT_MOST"))
    sparse_entries = NEIGHBOURS_AN_EVENT * taken
    taste = rng.integers(TASTES, size=items)
    factors = (
        _vectors(taste, chosen.als.factors, rng) * np.minimum(0.1 * np.log1p(taken), 2).astype(np.float32)[:, None]
    )
    vectors = _vectors(taste, int(conf.get("CONTENT")["dimension"]), rng)
    moments = int(min(popularity_over_time.MOMENTS, max(popularity_over_time.CELLS // items, 4)))
    so_far = np.linspace(0, 1, moments + 1)
    arrays: dict[str, Any] = {
        "item_pks": pks,
        "popularity": taken.astype(np.float32),
        "popularity_over_time.moments": SINCE.timestamp() + so_far[1:-1] * 9000 * 86_400,
        "popularity_over_time.counts": np.outer(so_far, taken).astype(np.float32),
        "content.vectors": vectors,
        "collaborative.factors": factors,
        "collaborative.gram": factors.T.astype(np.float64) @ factors.astype(np.float64),
        "item_to_item.spread": rng.random(items, dtype=np.float32) + np.float32(0.1),
        **_neighbours("item_to_item", np.where(dense, chosen.item_to_item.neighbours, 0), rng),
        **_neighbours("item_to_item_balanced", np.where(dense, chosen.item_to_item.neighbours, 0), rng),
        **_neighbours("next_items", np.where(dense, chosen.next_items.neighbours, 0), rng),
        **_neighbours("random_walk", np.minimum(sparse_entries, chosen.random_walk.neighbours), rng),
        **_neighbours("session", np.minimum(sparse_entries, chosen.session.neighbours), rng),
        **_trees(rng),
    }
    ranking = {
        "kind": "learned", "weights": dict.fromkeys(COLUMNS, round(1 / len(COLUMNS), 3)), "columns": list(COLUMNS),
        "intercept": -4.0, "slope": 1.0,
    }  # fmt: skip
    meta = {
        "items": items,
        **chosen.meta(),
        "ranking": ranking,
        "variety": {**variety.CATEGORIES, **variety.CHOICES[-1]},
    }
    to_index: dict[str, tuple[NDArray[np.float32], Metric]] = {
        "content": (vectors, "cosine"), "collaborative": (factors, "dot"), "collaborative_items": (factors, "cosine"),
    }  # fmt: skip
    indexes = {name: backend().build(stored, metric) for name, (stored, metric) in to_index.items()}
    return Trained(arrays=arrays, meta=meta, indexes=indexes)


def _vectors(taste: NDArray[np.int64], dimension: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return (items, dimension) unit rows, each near its taste in all dimensions."""
    centres = rng.standard_normal((TASTES, dimension), dtype=np.float32)
    vectors = centres[taste] + np.float32(0.8) * rng.standard_normal((len(taste), dimension), dtype=np.float32)
    unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def _neighbours(name: str, lengths: NDArray[Any], rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    """Return the arrays of a matrix with so many entries in each row, in columns spread over a stretch of the items."""
    items = len(lengths)
    lengths = np.minimum(lengths, items // 4).astype(np.int64)
    starts = np.concatenate(([0], np.cumsum(lengths)))
    columns, values = np.empty(starts[-1], np.int32), rng.random(starts[-1], dtype=np.float32)
    for first in range(0, items, _BLOCK):
        here = lengths[first : first + _BLOCK]
        entries = slice(starts[first], starts[min(first + _BLOCK, items)])
        # Gaps of 1 to 3 keep the entries of a row distinct and in order.
        along = np.cumsum(rng.integers(1, 4, size=int(here.sum())))
        before = np.concatenate(([0], along))[starts[first : first + len(here)] - starts[first]]
        left = rng.integers(0, items - 3 * here)
        columns[entries] = along - np.repeat(before - left, here) - 1
    return {f"{name}.indptr": starts, f"{name}.indices": columns, f"{name}.data": values}


def _trees(rng: np.random.Generator) -> dict[str, NDArray[np.uint8]]:
    """Return a learned ranker of the usual size, that has learned from noise."""
    features = names(COLUMNS)
    rows = rng.standard_normal((4000, len(features)), dtype=np.float32)
    trees = learned.train(rows, rows[:, 0], rows[:, :8].sum(axis=1) > 4, features, seed=1)
    return {learned.ARTEFACT: np.frombuffer(trees.text.encode(), dtype=np.uint8)}
