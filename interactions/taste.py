"""What items have in common, and the tastes that follow from it (for the simulated audience)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.snapshot import Catalogue

Array = NDArray[np.float64]

FEATURE_WEIGHTS = {"category": 0.7, "tag": 1.0, "creator": 1.2, "country": 0.3, "decade": 0.45}
NEIGHBOURS = 12
"""Items that make a persona; a dozen in one vein is what people call a taste."""
ITEMS_A_PERSONA = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Tastes:
    """What suits whom in a catalogue. Rows of all arrays have mean 0 and standard deviation 1."""

    likeness: Array
    """(items, items): how well an item suits somebody in the mood for another; the item itself and its kin highest."""
    personas: Array
    """(personas, items): how well an item suits each of a few kinds of people."""
    fame: Array
    """(items,): how well-known an item is."""

    @staticmethod
    def of(catalogue: Catalogue, random: np.random.Generator) -> Tastes:
        """Draw 3 to 30 personas, one for about fifteen items, each the neighbourhood of an item."""
        features = item_features(catalogue)
        similarity = np.asarray(features @ features.T)
        nearest = np.argsort(-similarity, axis=1, kind="stable")[:, :NEIGHBOURS]
        # The mean of its neighbourhood describes an item better than its own few words do.
        smoothed = np.array([similarity[row][near] @ features[near] for row, near in enumerate(nearest)])
        likeness = _standardized(similarity) + _standardized(smoothed @ features.T)
        anchors = _scattered(similarity, int(np.clip(len(catalogue) // ITEMS_A_PERSONA, 3, 30)), random)
        return Tastes(
            likeness=_standardized(likeness),
            personas=_standardized(smoothed[anchors] @ features.T),
            fame=_fame(catalogue, random),
        )


def item_features(catalogue: Catalogue) -> Array:
    """Return (items, features) float64 with rows of length 1: weighted inverse document frequencies.

    Features only one item has are left out, they say nothing about others; an item without any has a zero row.
    """
    named = [list(_names(catalogue, row)) for row in range(len(catalogue))]
    counts = Counter(name for names in named for name in names)
    columns = {name: column for column, name in enumerate(sorted(name for name, n in counts.items() if n > 1))}
    matrix = np.zeros((len(catalogue), len(columns)))
    for row, names in enumerate(named):
        for name in names:
            if name in columns:
                weight = FEATURE_WEIGHTS[name[0]]
                matrix[row, columns[name]] = weight * np.log(1.0 + len(catalogue) / counts[name])
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.asarray(np.divide(matrix, lengths, out=np.zeros_like(matrix), where=lengths > 0))


def _names(catalogue: Catalogue, row: int) -> Iterator[tuple[str, str]]:
    card = catalogue.cards[row]
    if card.category:
        yield "category", card.category
    yield from (("tag", tag) for tag in card.tags)
    yield from (("creator", creator) for creator in card.creators)
    yield from (("country", country) for country in card.countries)
    if card.year:
        yield "decade", str(card.year // 10)


def _fame(catalogue: Catalogue, random: np.random.Generator) -> Array:
    """Items by makers of many others are well-known; chance does the rest."""
    works = Counter(creator for card in catalogue.cards for creator in card.creators)
    best = [max((works[creator] for creator in card.creators), default=1) for card in catalogue.cards]
    known = np.log([best]) + random.normal(0.0, 0.6, (1, len(catalogue)))
    return np.asarray(_standardized(known)[0])


def _scattered(similarity: Array, n: int, random: np.random.Generator) -> list[int]:
    """Return n rows drawn so that no two are much alike."""
    chosen: list[int] = []
    room = np.ones(len(similarity))
    for _ in range(n):
        chance = room**2 + 1e-9
        chosen.append(int(random.choice(len(similarity), p=chance / chance.sum())))
        room = np.minimum(room, np.clip(1.0 - 2.0 * similarity[chosen[-1]], 0.0, 1.0))
    return chosen


def _standardized(rows: Array) -> Array:
    centred = rows - rows.mean(axis=1, keepdims=True)
    spread = rows.std(axis=1, keepdims=True)
    return np.asarray(np.divide(centred, spread, out=np.zeros_like(rows), where=spread > 0))
