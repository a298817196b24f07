"""Which items are parts of one series, told by their titles: "Toy Story 2", "Dune: Part Two", "Kill Bill: Volume 1"."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from catalog.snapshot import Catalogue

_PART = re.compile(
    r"(:.*|,? +(part|chapter|episode|vol\.?|volume) +\w+.*| +([2-9]|1\d|ii|iii|iv|v|vi|vii|viii|ix|x))$", re.IGNORECASE
)


def series_name(title: str) -> str:
    """Return what the titles of a series' parts have in common, lower-case."""
    return _PART.sub("", title).strip().lower()


def preceding_parts(catalogue: Catalogue) -> NDArray[np.int64]:
    """Return the row of the part before each item, (items,) int64, -1 where there is none.

    Parts share the title's beginning and a tag or creator, and follow each other in the order of publication.
    """
    preceding = np.full(len(catalogue), -1, dtype=np.int64)
    members: dict[str, list[int]] = defaultdict(list)
    for row, card in enumerate(catalogue.cards):
        if card.year:
            members[series_name(card.title)].append(row)
    for rows in members.values():
        for earlier, later in pairwise(sorted(rows, key=lambda row: float(catalogue.published_at[row]))):
            if _related(catalogue, earlier, later):
                preceding[later] = earlier
    return preceding


def _related(catalogue: Catalogue, one: int, other: int) -> bool:
    first, second = catalogue.cards[one], catalogue.cards[other]
    return bool(set(first.tags) & set(second.tags) or set(first.creators) & set(second.creators))
