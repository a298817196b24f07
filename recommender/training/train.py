"""All models of one version, trained on one set of interactions: one trainer a model, files named after them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.snapshot import ItemCard
from recommender import conf
from recommender.exceptions import NotEnoughData
from recommender.training import (
    als,
    content,
    embedding_spaces,
    item_to_item,
    neighbour_matrix,
    popularity,
    session,
    spread,
)
from recommender.training.dataset import Interactions
from recommender.training.embedding_spaces import IndexedSpace
from recommender.vector_index.base import BuiltIndex, Metric
from recommender.vector_index.handler import backend

Progress = Callable[[str], None]


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
    spaces: Sequence[IndexedSpace] = (),
) -> Trained:
    """Train every model on `data`.

    Parameters
    ----------
    data
        Its item rows are the rows of `item_pks` and `cards`.
    progress
        Called with the name of each stage as it starts.
    spaces
        Vectors that do not depend on `data`, with their indexes (`embedding_spaces.load`).

    Raises
    ------
    NotEnoughData
        When there is no item at all. Without events the content model and an all-zero popularity are built.
    """
    if not len(item_pks):
        raise NotEnoughData("The catalogue is empty: import items first (manage.py import_dataset).")
    seed = int(conf.get("SEED"))
    arrays: dict[str, NDArray[Any]] = {"item_pks": item_pks}
    meta: dict[str, Any] = {"users": data.n_users, "items": data.n_items, "interactions": len(data), "seed": seed}
    to_index: dict[str, tuple[NDArray[np.float32], Metric]] = {}

    progress("popularity")
    arrays["popularity"] = popularity.train(data, half_life_days=None)
    progress("content")
    space = content.fit(cards, int(conf.get("CONTENT")["dimension"]), seed)
    vectors = space.vectors(cards)
    arrays |= {"content.vectors": vectors, **space.arrays()}
    to_index["content"] = (vectors, "cosine")
    if len(data):
        matrix = data.matrix()
        progress("collaborative")
        als_parameters = als.AlsParameters(**conf.get("ALS"))
        factors = als.train(matrix, als_parameters, seed)
        arrays["collaborative.factors"] = factors
        arrays["collaborative.gram"] = factors.T.astype(np.float64) @ factors.astype(np.float64)
        meta["collaborative"] = asdict(als_parameters)
        to_index["collaborative"] = (factors, "dot")
        to_index["collaborative_items"] = (factors, "cosine")
        progress("item to item")
        item_parameters = item_to_item.ItemToItemParameters(**conf.get("ITEM_TO_ITEM"))
        neighbours = item_to_item.train(matrix, item_parameters)
        arrays |= neighbour_matrix.arrays("item_to_item", neighbours)
        arrays["item_to_item.spread"] = spread.train(neighbours, arrays["popularity"], data.n_users)
        meta["item_to_item"] = asdict(item_parameters)
        progress("session")
        session_parameters = session.SessionParameters(**conf.get("SESSION"))
        arrays |= neighbour_matrix.arrays("session", session.train(data, session_parameters))
        meta["session"] = asdict(session_parameters)
    progress("vector indexes")
    indexes = {name: backend().build(stored, metric) for name, (stored, metric) in to_index.items()}
    if spaces:
        arrays |= embedding_spaces.arrays(spaces)
        meta["embeddings"] = embedding_spaces.weights(spaces)
        indexes |= embedding_spaces.indexes(spaces)
    return Trained(arrays=arrays, meta=meta, indexes=indexes)
