"""What comes next after a history like this one (a regression on order)."""

from __future__ import annotations

from recommender.sources.neighbours import NeighbourSource


class NextItems(NeighbourSource):
    """Trained by `training.next_items`; the history is weighed as it was in training."""

    name = "next_items"
    artefact = "next_items"
