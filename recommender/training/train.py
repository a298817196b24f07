"""All models of one version, trained on one set of interactions: one trainer a model, files named after them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from catalog.snapshot import ItemCard
from recommender import conf
from recommender.exceptions import NotEnoughData
from recommender.history import longest
from recommender.training import (
    content,
    embedding_spaces,
    neighbour_matrix,
    next_items,
    popularity_over_time,
    similar_users,
    spread,
)
from recommender.training.dataset import Interactions
from recommender.training.embedding_spaces import IndexedSpace
from recommender.training.engines.base import Engine
from recommender.training.engines.local import LocalEngine
from recommender.training.settings import Settings, untuned
from recommender.vector_index.base import BuiltIndex, Metric
from recommender.vector_index.handler import backend

Progress = Callable[[str], None]
LOCAL = LocalEngine()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What `registry.storage.write` stores."""

    arrays: dict[str, NDArray[Any]]
    meta: dict[str, Any]
    indexes: dict[str, BuiltIndex]


def train(
    data: Interactions,
    item_pks: NDArray[np.int64],
    cards: Sequence[ItemCard],
    progress: Progress = lambda stage: None,
    *,
    settings: Settings | None = None,
    spaces: Sequence[IndexedSpace] = (),
    engine: Engine = LOCAL,
) -> Trained:
    """Train on `data` every model that a recipe asks for; popularity and content are always there.

    Parameters
    ----------
    data
        Its item rows are the rows of `item_pks` and `cards`.
    progress
        Called with the name of each stage as it starts.
    settings
        Parameters of all trainers; those of the configuration by default.
    spaces
        Vectors that do not depend on `data`, with their indexes (`embedding_spaces.load`).
    engine
        Trains the models whose cost grows with the events; it has been entered.

    Raises
    ------
    NotEnoughData
        When there is no item at all. Without events the content model and an all-zero popularity are built.
    """
    if not len(item_pks):
        raise NotEnoughData("The catalogue is empty: import items first (manage.py import_dataset).")
    seed = int(conf.get("SEED"))
    settings = settings or untuned()
    arrays: dict[str, NDArray[Any]] = {"item_pks": item_pks}
    sizes = {"users": data.n_users, "items": data.n_items, "interactions": len(data)}
    meta: dict[str, Any] = {**sizes, "seed": seed, "history": longest(ordered=data.ordered), **settings.meta()}
    to_index: dict[str, tuple[NDArray[np.float32], Metric]] = {}

    progress("popularity")
    arrays["popularity"] = engine.popularity(data)
    progress("content")
    space = content.fit(cards, int(conf.get("CONTENT")["dimension"]), seed)
    vectors = space.vectors(cards)
    arrays |= {"content.vectors": vectors, **space.arrays()}
    to_index["content"] = (vectors, "cosine")
    if len(data):
        arrays |= popularity_over_time.train(data)
        asked = asked_sources()
        if asked & {"collaborative", "similar_users"}:
            progress("collaborative")
            factors = engine.collaborative(data, settings.als, seed)
            arrays["collaborative.factors"] = factors
            arrays["collaborative.gram"] = factors.T.astype(np.float64) @ factors.astype(np.float64)
            to_index["collaborative"] = (factors, "dot")
            to_index["collaborative_items"] = (factors, "cosine")
        if "similar_users" in asked:
            progress("similar users")
            parameters = similar_users.SimilarUsersParameters(**conf.get("SIMILAR_USERS"))
            taken, tastes = similar_users.train(data, parameters, arrays, settings.als.regularization)
            arrays |= taken
            to_index["similar_users"] = (tastes, "cosine")
        for name, weights in _neighbour_models(data, engine, settings, seed, asked, progress):
            arrays |= neighbour_matrix.arrays(name, weights)
            if name == "item_to_item":
                arrays["item_to_item.spread"] = spread.train(weights, arrays["popularity"], data.n_users)
    engine.rest()
    progress("vector indexes")
    indexes = {name: backend().build(stored, metric) for name, (stored, metric) in to_index.items()}
    if spaces:
        arrays |= embedding_spaces.arrays(spaces)
        meta["embeddings"] = embedding_spaces.weights(spaces)
        indexes |= embedding_spaces.indexes(spaces)
    return Trained(arrays=arrays, meta=meta, indexes=indexes)


def asked_sources() -> set[str]:
    """Return the names of the sources of all recipes."""
    return {name for recipe in conf.get("RECIPES").values() for name in recipe.get("sources", {})}


def _neighbour_models(
    data: Interactions, engine: Engine, settings: Settings, seed: int, asked: set[str], progress: Progress
) -> Iterator[tuple[str, sparse.csr_matrix]]:
    """Yield the (items, items) matrices by the name of their source."""
    trainers: dict[str, Callable[[], sparse.csr_matrix]] = {
        "item_to_item": lambda: engine.item_to_item(data, settings.item_to_item),
        "item_to_item_balanced": lambda: engine.item_to_item(data, settings.item_to_item_balanced),
        "random_walk": lambda: engine.random_walk(data, settings.random_walk),
    }
    if data.ordered:
        trainers["next_items"] = lambda: next_items.train(data, settings.next_items, seed)
        trainers["session"] = lambda: engine.session(data, settings.session)
    for name, trainer in trainers.items():
        if name in asked:
            progress(name.replace("_", " "))
            yield name, trainer()
