from collections.abc import Callable

import pytest
from django.core.cache import cache

from catalog.importing import item_record, upsert_items
from interactions.models import Event

FILMS = [
    ("inception", "Inception", "Science Fiction", "2010-07-16"),
    ("matrix", "The Matrix", "Science Fiction", "1999-03-31"),
    ("alien", "Alien", "Horror", "1979-05-25"),
    ("amelie", "Amélie", "Romance", "2001-04-25"),
    ("heat", "Heat", "Crime", "1995-12-15"),
    ("up", "Up", "Animation", "2009-05-29"),
]


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Forget who could be signed in as."""
    cache.clear()


@pytest.fixture
def films(db: None) -> None:
    """Six films of five categories."""
    fields = ("item_id", "title", "category", "published_at")
    upsert_items([item_record(dict(zip(fields, film, strict=True))) for film in FILMS])


@pytest.fixture
def recorded(db: None) -> Callable[[], list[tuple[str, str, str]]]:
    """Return all events in order as (user, type, item)."""

    def read() -> list[tuple[str, str, str]]:
        events = Event.objects.order_by("occurred_at", "event_type__name")
        return list(events.values_list("user__user_id", "event_type__name", "item__item_id"))

    return read
