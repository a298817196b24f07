"""What people take next after what this user took last (transitions within a few steps)."""

from __future__ import annotations

from collections.abc import Mapping

from recommender.sources.half_life import HalfLife
from recommender.sources.neighbours import NeighbourSource


class Session(NeighbourSource):
    """Co-visitation with step decay; trained by `training.session`. Only the newest few items count."""

    name = "session"
    artefact = "session"

    def __init__(
        self, half_life: HalfLife = 4, floor: float = 0.0, variants: Mapping[str, HalfLife] | None = None
    ) -> None:
        super().__init__(half_life, floor, variants=variants)
