"""The questions to a new visitor: which titles he may pick from, and what his answers become."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from catalog import countries
from catalog import queries as catalogue
from interactions import preferences, profiles
from recommender.carousel import Card, card

TITLES = 24
OF_ONE_CATEGORY = 2
"""A quiz of blockbusters of one kind would tell nothing."""
LOOKED_THROUGH = 240


def titles() -> list[Card]:
    """Return well-known items of many categories, most popular first."""
    per_category: Counter[str] = Counter()
    chosen: list[Card] = []
    others: list[Card] = []
    for found in catalogue.cards(limit=LOOKED_THROUGH):
        per_category[found.category] += 1
        (chosen if per_category[found.category] <= OF_ONE_CATEGORY else others).append(card(found))
    return [*chosen, *others][:TITLES]


def answered(user_id: str) -> tuple[preferences.Preferences, str]:
    """Return what somebody has said before, and his country; nothing of somebody unknown."""
    profile = profiles.summary(user_id) if user_id else None
    return (preferences.of(profile["preferences"]), profile["country"]) if profile else (preferences.NONE, "")


def store(user_id: str, *, categories: Iterable[str], items: Iterable[str], country: str) -> int:
    """Store answers in the place of earlier ones; return how many likes of his there are. Shows on the next page.

    What the catalogue does not have, or no country is, is left out. The tags and whatever else a site has noted of him
    stay as they are.
    """
    known = set(catalogue.categories())
    liked = [name for name in dict.fromkeys(categories) if name in known][: preferences.MOST]
    asked = [item_id for item_id in dict.fromkeys(items) if "\0" not in item_id][: preferences.MOST]
    there = catalogue.pks_by_item_id(asked)
    picked = [item_id for item_id in asked if item_id in there]
    if liked or picked:
        profile = profiles.summary(user_id)
        told = {**(profile["preferences"] if profile else {}), "categories": liked, "items": picked}
        place = country if country in countries.codes() else profiles.UNCHANGED
        profiles.store(user_id, preferences=told, country=place)
    return len(liked) + len(picked)
