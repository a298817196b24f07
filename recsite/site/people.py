"""The demo users that the sign-in page offers, each with what he has enjoyed lately."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.cache import cache

from interactions import queries as interactions
from recommender.carousel import Card
from recsite.site.history import recent_deeds

OFFERED = 24
TITLES_EACH = 4
_CACHE_KEY = "recsite:demo-users"
_CACHE_SECONDS = 300
_ENJOYED = frozenset(("watch", "rating", "like", "purchase"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One demo user."""

    user_id: str
    recent: tuple[Card, ...]
    """Up to `TITLES_EACH` different items, newest first."""


def user_ids() -> list[str]:
    """Return whom one may sign in as. Kept for five minutes: finding them counts every event."""
    found: list[str] | None = cache.get(_CACHE_KEY)
    if found is None:
        found = [user.user_id for user in interactions.demo_users(OFFERED)]
        if found:
            cache.set(_CACHE_KEY, found, _CACHE_SECONDS)
    return found


def people() -> list[Person]:
    """Return the demo users with their recent items."""
    return [Person(user_id=user_id, recent=_recent(user_id)) for user_id in user_ids()]


def _recent(user_id: str) -> tuple[Card, ...]:
    cards: dict[str, Card] = {}
    for deed in recent_deeds(user_id):
        if deed.event_type in _ENJOYED and len(cards) < TITLES_EACH:
            cards.setdefault(deed.card.item_id, deed.card)
    return tuple(cards.values())
