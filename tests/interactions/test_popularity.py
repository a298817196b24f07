from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from catalog import revisions
from catalog.models import Item
from catalog.redis_store import client
from interactions import popularity, redis_breaker, tasks
from interactions.contracts import EventInput
from interactions.models import UserProfile
from interactions.popularity import popular_item_pks, refresh
from interactions.recording import record

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def nothing_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(popularity, "_held", None)


def act(user_id: str, item_id: str, event_type: str = "watch", days_ago: float = 0.0, n: int = 0) -> None:
    at = NOON - timedelta(days=days_ago) + timedelta(seconds=n)
    record([EventInput(user_id, item_id, event_type, at)])


def scores() -> dict[str, float]:
    return {item_id: round(score, 4) for item_id, score in Item.objects.values_list("item_id", "popularity")}


def test_an_event_counts_half_after_a_half_life_and_a_user_once(items: dict[str, int]) -> None:
    act("ann", "heat")
    act("ann", "heat", "click")
    act("ann", "heat", days_ago=1)
    act("bob", "heat", days_ago=30)
    act("bob", "alien", "purchase", days_ago=60)
    act("bob", "up", "not_interested")
    assert refresh() == 2
    assert scores() == {"heat": 1.5, "alien": 0.375, "up": 0.0, "inception": 0.0}
    assert refresh() == 0


def test_what_is_no_longer_taken_falls_to_zero(items: dict[str, int]) -> None:
    Item.objects.filter(item_id="up").update(popularity=5.0)
    act("ann", "alien", days_ago=301)
    act("ann", "heat")
    assert refresh() == 2
    assert scores() == {"heat": 1.0, "alien": 0.0, "up": 0.0, "inception": 0.0}


def test_no_events_make_nothing_popular(items: dict[str, int]) -> None:
    assert refresh() == 0
    assert popular_item_pks().tolist() == []


def test_the_catalogues_revision_does_not_move(items: dict[str, int]) -> None:
    act("ann", "heat")
    before = revisions.from_database()
    refresh()
    assert revisions.from_database() == before


def test_the_half_life_is_a_setting(items: dict[str, int], settings: Any) -> None:
    settings.INTERACTIONS_POPULARITY_HALF_LIFE_DAYS = 10
    act("ann", "heat")
    act("ann", "alien", days_ago=10)
    refresh()
    assert scores()["alien"] == 0.5


def test_trending_is_by_country_filled_up_from_everywhere(items: dict[str, int]) -> None:
    UserProfile.objects.create(user_id="luc", country="FR")
    act("luc", "up")
    for user_id in ("ann", "bob"):
        act(user_id, "heat")
    act("ann", "alien", days_ago=2)
    refresh()
    everywhere = [items["heat"], items["up"], items["alien"]]
    assert popular_item_pks().tolist() == everywhere
    assert popular_item_pks("FR").tolist() == [items["up"], items["heat"], items["alien"]]
    assert popular_item_pks("JP", limit=1).tolist() == everywhere[:1]


def test_trending_is_read_from_redis_and_held(items: dict[str, int], django_assert_num_queries: Any) -> None:
    act("ann", "heat")
    refresh()
    with django_assert_num_queries(0):
        assert popular_item_pks().tolist() == [items["heat"]]
    client().delete(popularity._trending_key())
    with django_assert_num_queries(0):
        assert popular_item_pks().tolist() == [items["heat"]]


def test_trending_without_redis_comes_from_postgres(items: dict[str, int], dead_redis: object) -> None:
    act("ann", "heat")
    refresh()
    assert popular_item_pks().tolist() == [items["heat"]]


def test_one_users_thousand_clicks_count_as_one(items: dict[str, int]) -> None:
    record([EventInput("bot", "up", "click", NOON + timedelta(seconds=n)) for n in range(500)])
    for user_id in ("ann", "bob"):
        act(user_id, "heat", "click")
    refresh()
    assert popular_item_pks().tolist() == [items["heat"], items["up"]]


def test_the_task_replays_what_waited(items: dict[str, int]) -> None:
    record([EventInput("ann", "later", "watch", NOON)])
    item = Item.objects.create(item_id="later", title="Later")
    assert tasks.refresh_popularity() == 1
    assert popular_item_pks().tolist() == [item.pk]


def test_the_breaker_is_shared(items: dict[str, int], dead_redis: object) -> None:
    for _ in range(6):
        popularity._held = None
        popular_item_pks()
    assert not redis_breaker.breaker.allows()
