from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client, TestCase

from catalog.importing import item_record, upsert_items
from interactions.models import Event
from tests.recommender.conftest import fresh_process

__all__ = ["fresh_process"]

FILMS = [
    ("inception", "Inception", "Science Fiction", "2010-07-16"),
    ("matrix", "The Matrix", "Science Fiction", "1999-03-31"),
    ("alien", "Alien", "Horror", "1979-05-25"),
    ("amelie", "Amélie", "Romance", "2001-04-25"),
    ("heat", "Heat", "Crime", "1995-12-15"),
    ("up", "Up", "Animation", "2009-05-29"),
]


class CommittingClient(Client):
    """A client whose requests end with a commit, as real ones do, although the test's transaction goes on."""

    def request(self, **request: Any) -> Any:
        """Answer, then run what waits for the commit."""
        with TestCase.captureOnCommitCallbacks(execute=True):
            return super().request(**request)


@pytest.fixture
def client(db: None) -> Client:
    """A browser without cookies."""
    return CommittingClient()


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
