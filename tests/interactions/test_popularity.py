from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from catalog import revisions
from catalog.models import Item
from catalog.redis_store import client, key
from interactions import popularity, redis_breaker, tasks
from interactions.contracts import EventInput
from interactions.models import UserProfile
from interactions.popularity import refresh, trending
from interactions.recording import record

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def nothing_held() -> None:
    popularity.forget()


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
    assert trending() == popularity.Trending()


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


def ranks(ranked: popularity.Ranked) -> list[tuple[int, float]]:
    return [(pk, round(score, 4)) for pk, score in zip(ranked.pks.tolist(), ranked.scores.tolist(), strict=True)]


def test_trending_is_everywhere_by_country_and_by_category(items: dict[str, int]) -> None:
    Item.objects.filter(item_id__in=["up", "alien"]).update(category="space")
    UserProfile.objects.create(user_id="luc", country="FR")
    act("luc", "up")
    for user_id in ("ann", "bob"):
        act(user_id, "heat")
    act("ann", "alien", days_ago=2)
    refresh()
    heat, up, alien = items["heat"], items["up"], items["alien"]
    found = trending()
    assert (ranks(found.everywhere), found.everywhere.total) == ([(heat, 2.0), (up, 1.0), (alien, 0.5)], 3.5)
    assert {name: ranks(ranked) for name, ranked in found.countries.items()} == {"FR": [(up, 1.0)]}
    assert {name: ranks(ranked) for name, ranked in found.categories.items()} == {
        "film": [(heat, 2.0)],
        "space": [(up, 1.0), (alien, 0.5)],
    }


def test_an_event_may_say_where_it_happened(items: dict[str, int]) -> None:
    UserProfile.objects.create(user_id="luc", country="FR")
    record([EventInput("luc", "up", "watch", NOON, context={"country": "de"})])
    record([EventInput("luc", "heat", "watch", NOON, context={"country": "somewhere"})])
    record([EventInput("luc", "up", "click", NOON)])
    refresh()
    up, heat = items["up"], items["heat"]
    assert {name: ranks(ranked) for name, ranked in trending().countries.items()} == {
        "DE": [(up, 1.0)],
        "FR": [(heat, 1.0), (up, 0.2)],
    }
    # Everywhere a user counts once, wherever he was.
    assert ranks(trending().everywhere) == ([(heat, 1.0), (up, 1.0)] if heat < up else [(up, 1.0), (heat, 1.0)])


def test_trending_never_asks_postgres(items: dict[str, int], django_assert_num_queries: Any) -> None:
    act("ann", "heat")
    with django_assert_num_queries(0):
        assert trending().everywhere.pks.tolist() == []
    refresh()
    with django_assert_num_queries(0):
        assert trending().everywhere.pks.tolist() == [items["heat"]]


def test_after_a_loss_of_redis_trending_comes_from_postgres(items: dict[str, int]) -> None:
    act("ann", "heat")
    refresh()
    client().delete(key("trending"))
    popularity.forget()
    assert trending().everywhere.pks.tolist() == []
    refresh()
    popularity.forget()
    assert trending().everywhere.pks.tolist() == [items["heat"]]


def test_one_users_thousand_clicks_count_as_one(items: dict[str, int]) -> None:
    record([EventInput("bot", "up", "click", NOON + timedelta(seconds=n)) for n in range(500)])
    for user_id in ("ann", "bob"):
        act(user_id, "heat", "click")
    refresh()
    assert trending().everywhere.pks.tolist() == [items["heat"], items["up"]]


def test_the_task_replays_what_waited(items: dict[str, int]) -> None:
    record([EventInput("ann", "later", "watch", NOON)])
    item = Item.objects.create(item_id="later", title="Later")
    assert tasks.refresh_popularity() == 1
    assert trending().everywhere.pks.tolist() == [item.pk]


def test_the_breaker_is_shared(items: dict[str, int], dead_redis: object) -> None:
    for _ in range(6):
        popularity.forget()
        trending()
    assert not redis_breaker.breaker.allows()
