"""Items a short random walk away on the graph of users and items."""

from __future__ import annotations

from recommender.sources.neighbours import NeighbourSource


class RandomWalk(NeighbourSource):
    """RP3β; trained by `training.random_walk`. The one neighbour model that takes any number of items."""

    name = "random_walk"
    artefact = "random_walk"
