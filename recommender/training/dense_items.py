"""Which items a trainer with an (items, items) matrix may take: as many as fit in memory, the most taken first."""

from __future__ import annotations

import logging
import os

import numpy as np

from recommender import conf
from recommender.arrays import RowArray
from recommender.training.dataset import Interactions

logger = logging.getLogger(__name__)

SHARE_OF_MEMORY = 0.5
"""Of what is free now; the rest is for everything else this machine does."""


def dense_items(data: Interactions, matrices: int, at_most: int | None = None) -> RowArray:
    """Return the item rows, ascending, that at least two users took and that fit.

    An item with a single user has no neighbours that this user's other items would not give as well.

    Parameters
    ----------
    matrices
        Float32 (items, items) matrices that the trainer holds at once.
    at_most
        A tighter limit than RECOMMENDER_DENSE_ITEMS_AT_MOST.
    """
    users_of_item = np.bincount(data.items, minlength=data.n_items)
    items = np.flatnonzero(users_of_item >= 2)
    fitting = min(int(conf.get("DENSE_ITEMS_AT_MOST")), _fitting(matrices))
    if at_most is None and len(items) > fitting:
        logger.info("dense models: the %d most taken of %d items (the sparse ones take all)", fitting, len(items))
    fitting = min(fitting, at_most or fitting)
    if len(items) <= fitting:
        return items
    most_taken = items[np.argsort(-users_of_item[items], kind="stable")[:fitting]]
    return np.sort(most_taken)


def _fitting(matrices: int) -> int:
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4 << 30
    return int(np.sqrt(SHARE_OF_MEMORY * free / (4 * matrices)))
