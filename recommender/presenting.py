"""Under which title and picture each item of a list is shown, where editors have given it several.

A bandit chooses: each is shown with the probability that it is the one people take most (Thompson sampling,
`experiments.bandits`), by what came of its showings so far (`interactions.presented`), and none more seldom than FLOOR.
The draw is a hash of the user, the item and the hour, so one sees an item under the same title wherever it stands on a
page, and how probable that was is noted on the impression. Whom nothing may be stored of sees the item's own: nothing
could be learned from him.

A list is presented when it is shown, not when it is made: lists that are kept, previewed or made again are of items as
they are. Where no item has several, nothing is done at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import msgspec
import numpy as np

from catalog.presentations import OWN, Presentation
from experiments.bandits import best_chances, draw, floored
from interactions.contracts import ServedList
from recommender.contracts import RecommendationList
from recommender.rerankers.exploration import HOUR_SECONDS
from recommender.visit import Visit

FLOOR = 0.05


def presented(visit: Visit, made: RecommendationList, served: ServedList) -> tuple[RecommendationList, ServedList]:
    """Return a list as its user is shown it, and what is to be recorded of that."""
    several = visit.state.presentations
    if not several or not visit.record:
        return made, served
    items, noted = list(made.items), list(served.items)
    places = [place for place, item in enumerate(noted) if item.item_pk in several]
    if not places:
        return made, served
    for place in places:
        item_pk = noted[place].item_pk
        chosen, chance = _choice(visit, item_pk, several[item_pk])
        card = items[place].card
        card = card if chosen == OWN else several[item_pk][chosen].on(card)
        items[place] = replace(items[place], card=card, presentation=chosen)
        noted[place] = msgspec.structs.replace(noted[place], presentation=chosen, presentation_propensity=chance)
    # What the API has written of the list as it is kept is not what he is shown.
    return replace(made, items=tuple(items), rendered={}), msgspec.structs.replace(served, items=tuple(noted))


def _choice(visit: Visit, item_pk: int, several: Mapping[int, Presentation]) -> tuple[int, float]:
    """Return which one the user is shown, and with what probability."""
    arms = (OWN, *several)
    counts = visit.presented.get(item_pk, {})
    shown, taken = zip(*(counts.get(arm, (0, 0)) for arm in arms), strict=True)
    chances = _chances(taken, shown)
    arm = draw(chances, _place(visit, item_pk))
    return arms[arm], chances[arm]


@lru_cache(maxsize=10_000)
def _chances(taken: tuple[int, ...], shown: tuple[int, ...]) -> tuple[float, ...]:
    return tuple(floored(np.array(best_chances(taken, shown)), FLOOR).tolist())


def _place(visit: Visit, item_pk: int) -> float:
    """Return a number of [0, 1), the same for this user and item within the hour."""
    drawn_for = f"{visit.user.user_id}\0{item_pk}\0{int(visit.now // HOUR_SECONDS)}"
    return int.from_bytes(hashlib.blake2b(drawn_for.encode(), digest_size=8).digest()) / 2**64
