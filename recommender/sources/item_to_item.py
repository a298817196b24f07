"""Items that go together with what the user took, weighed by how recent that was (EASE weights)."""

from __future__ import annotations

from recommender.sources.neighbours import NeighbourSource


class ItemToItem(NeighbourSource):
    """Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", 2019; trained by `training.item_to_item`."""

    name = "item_to_item"
    artefact = "item_to_item"
