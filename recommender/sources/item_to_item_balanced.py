"""Items that go together, users with long histories held back (EASE weights)."""

from __future__ import annotations

from recommender.sources.neighbours import NeighbourSource


class ItemToItemBalanced(NeighbourSource):
    """As `item_to_item`, from a gram matrix in which a heavy user's pairs count less."""

    name = "item_to_item_balanced"
    artefact = "item_to_item_balanced"
