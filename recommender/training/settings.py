"""All that can be chosen about the models of one version: where tuning starts, and what it ends with."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from recommender import conf
from recommender.training.als import AlsParameters
from recommender.training.item_to_item import ItemToItemParameters
from recommender.training.next_items import NextItemsParameters
from recommender.training.random_walk import RandomWalkParameters
from recommender.training.session import SessionParameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Parameters of every trainer, and how quickly a history fades for every source."""

    als: AlsParameters
    item_to_item: ItemToItemParameters
    item_to_item_balanced: ItemToItemParameters
    next_items: NextItemsParameters
    session: SessionParameters
    random_walk: RandomWalkParameters
    half_lives: dict[str, float | None] = field(default_factory=dict)
    """Source → events; None: no recency."""

    def for_more_data(self, ratio: float) -> Settings:
        """Return the settings for `ratio` times the interactions they were found on.

        What is added to a sum over interactions grows with their number: a λ that is best on 80 % is not on all.
        """
        return replace(
            self,
            item_to_item=_scaled(self.item_to_item, ratio),
            item_to_item_balanced=_scaled(self.item_to_item_balanced, ratio),
            next_items=replace(self.next_items, regularization=self.next_items.regularization * ratio),
        )

    def meta(self) -> dict[str, Any]:
        """Return them as JSON values, for the version's notes."""
        return {
            "collaborative": asdict(self.als),
            "item_to_item": asdict(self.item_to_item),
            "item_to_item_balanced": asdict(self.item_to_item_balanced),
            "next_items": asdict(self.next_items),
            "session": asdict(self.session),
            "random_walk": asdict(self.random_walk),
            "half_lives": self.half_lives,
        }


def untuned() -> Settings:
    """Return the settings of RECOMMENDER_ALS, _ITEM_TO_ITEM, _NEXT_ITEMS, _SESSION, _RANDOM_WALK and _HALF_LIVES."""
    item_to_item = ItemToItemParameters(**conf.get("ITEM_TO_ITEM"))
    return Settings(
        als=AlsParameters(**conf.get("ALS")),
        item_to_item=item_to_item,
        item_to_item_balanced=replace(item_to_item, user_exponent=0.5),
        next_items=NextItemsParameters(**conf.get("NEXT_ITEMS")),
        session=SessionParameters(**conf.get("SESSION")),
        random_walk=RandomWalkParameters(**conf.get("RANDOM_WALK")),
        half_lives=dict(conf.get("HALF_LIVES")),
    )


def _scaled(parameters: ItemToItemParameters, ratio: float) -> ItemToItemParameters:
    return replace(parameters, regularization=parameters.regularization * ratio)
