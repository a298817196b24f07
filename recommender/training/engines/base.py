"""What trains models from events: one engine for the whole of a rebuild."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from interactions.event_types import EventTypes
from recommender.training.als import AlsParameters
from recommender.training.dataset import Interactions
from recommender.training.item_to_item import ItemToItemParameters
from recommender.training.random_walk import RandomWalkParameters
from recommender.training.session import SessionParameters


class Engine(ABC):
    """Reads events and trains the models whose cost grows with them; a context manager.

    Shapes, dtypes and formulas are those of the modules that the parameters come from. Methods raise EngineFailed.
    """

    name: ClassVar[str]

    @abstractmethod
    def load(
        self,
        item_pks: NDArray[np.int64],
        types: EventTypes,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Interactions:
        """Read all events on the given items, see `dataset.load`."""

    @abstractmethod
    def popularity(self, data: Interactions) -> NDArray[np.float32]:
        """Return (items,), how many users took each item."""

    @abstractmethod
    def collaborative(self, data: Interactions, parameters: AlsParameters, seed: int) -> NDArray[np.float32]:
        """Return (items, factors), see `als.train`."""

    @abstractmethod
    def item_to_item(self, data: Interactions, parameters: ItemToItemParameters) -> sparse.csr_matrix:
        """Return (items, items), see `item_to_item.train`."""

    @abstractmethod
    def random_walk(self, data: Interactions, parameters: RandomWalkParameters) -> sparse.csr_matrix:
        """Return (items, items), see `random_walk.train`."""

    @abstractmethod
    def session(self, data: Interactions, parameters: SessionParameters) -> sparse.csr_matrix:
        """Return (items, items), see `session.train`."""

    def rest(self) -> None:  # noqa: B027 -- most engines hold nothing
        """Let go of all that cannot be forked, until the next call: what follows trains or measures in children."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return
