"""This process trains, with the processors of this machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from interactions.event_types import EventTypes
from recommender.training import als, dataset, item_to_item, popularity, random_walk, session
from recommender.training.als import AlsParameters
from recommender.training.dataset import Interactions
from recommender.training.engines.base import Engine
from recommender.training.item_to_item import ItemToItemParameters
from recommender.training.random_walk import RandomWalkParameters
from recommender.training.session import SessionParameters


class LocalEngine(Engine):
    """Calls the trainers."""

    name: ClassVar[str] = "local"

    def load(
        self,
        item_pks: NDArray[np.int64],
        types: EventTypes,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Interactions:
        return dataset.load(item_pks, types.weights_of, progress)[0]

    def popularity(self, data: Interactions) -> NDArray[np.float32]:
        return popularity.train(data, half_life_days=None)

    def collaborative(self, data: Interactions, parameters: AlsParameters, seed: int) -> NDArray[np.float32]:
        return als.train(data.matrix(), parameters, seed)

    def item_to_item(self, data: Interactions, parameters: ItemToItemParameters) -> sparse.csr_matrix:
        return item_to_item.train(data, parameters)

    def random_walk(self, data: Interactions, parameters: RandomWalkParameters) -> sparse.csr_matrix:
        return random_walk.train(data.matrix(), parameters)

    def session(self, data: Interactions, parameters: SessionParameters) -> sparse.csr_matrix:
        return session.train(data, parameters)
