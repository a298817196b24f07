"""Counting what came in since gives what counting everything gives, whoever commits late and whatever is removed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.models import Item
from interactions import erasure, item_scores, popularity, profiles, score_changes
from interactions.models import EventType, ItemScore, OwedCount, ScoreCount, UserProfile
from tests.interactions.conftest import create_items

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
Scores = dict[tuple[int, str], float]


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """Until when nothing is received any more, as the last element says; `received` counts minutes from NOON."""
    moments = [NOON]
    monkeypatch.setattr(item_scores, "_settled_until", lambda: moments[-1])
    return moments


def minute(received: float) -> datetime:
    return NOON + timedelta(minutes=received)


def act(user_id: str, item_pk: int, kind: str, received: float, *, hours_ago: float = 0.0, country: str = "") -> None:
    """Store an event as received at that minute; it happened `hours_ago` before NOON."""
    user, _ = UserProfile.objects.get_or_create(user_id=user_id)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO interactions_event "
            "(event_id, occurred_at, user_id, item_id, event_type_id, context, received_at) "
            "SELECT %s, %s, %s, %s, id, jsonb_build_object('country', %s::text), %s "
            "FROM interactions_eventtype WHERE name = %s",
            [
                uuid.uuid4(),
                NOON - timedelta(hours=hours_ago),
                user.pk,
                item_pk,
                country,
                minute(received),
                kind,
            ],
        )


def selected(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def counted() -> tuple[dict[int, float], Scores]:
    """Count what came in; return popularity by item and trending by item and country."""
    with transaction.atomic():
        item_scores.count()
        kept = dict(ItemScore.objects.filter(country="").values_list("item_id", "popularity"))
        popular = kept | dict(selected(item_scores.POPULARITY))
        return popular, {(pk, country): score for pk, country, score in selected(item_scores.TRENDING)}


def from_scratch() -> tuple[dict[int, float], Scores]:
    """Count everything anew, from the same landmark."""
    with transaction.atomic():
        score_changes.empty()
        score_changes.find(ScoreCount.objects.get().landmark)
        popular = dict(selected(item_scores.POPULARITY_AS_OF))
        return popular, {(pk, country): score for pk, country, score in selected(item_scores.TRENDING_AS_OF)}


def assert_equal(one: dict[Any, float], other: dict[Any, float]) -> None:
    """Compare scores; no entry is a score of 0."""
    assert {key: score for key, score in one.items() if score} == pytest.approx(
        {key: score for key, score in other.items() if score}, rel=1e-9, abs=1e-12
    )


EVENTS = st.tuples(
    st.sampled_from(["ann", "bob", "cyn"]),
    st.integers(0, 3),
    st.sampled_from(["watch", "click", "purchase", "not_interested", "impression"]),
    st.sampled_from(["", "FR", "de", "nowhere"]),
    st.floats(0, 30 * 24),
)
STEP = st.tuples(st.lists(EVENTS, max_size=6), st.integers(0, 3))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEP, min_size=1, max_size=5))
def test_counting_what_came_in_equals_counting_everything(db: None, settled: list[datetime], steps: Any) -> None:
    with transaction.atomic():
        pks = sorted(create_items().values())
        for number, (events, lag) in enumerate(steps):
            for user_id, item, kind, country, hours_ago in events:
                act(user_id, pks[item], kind, number + 0.5, hours_ago=hours_ago, country=country)
            # Up to three minutes of what is there stay open.
            settled.append(minute(number + 1 - lag))
            popular, trending = counted()
            expected_popular, expected_trending = from_scratch()
            assert_equal(popular, expected_popular)
            assert_equal(trending, expected_trending)
        transaction.set_rollback(True)


def test_what_settles_is_kept_and_what_is_open_is_not(items: dict[str, int], settled: list[datetime]) -> None:
    heat = items["heat"]
    act("ann", heat, "click", 1)
    settled.append(minute(2))
    counted()
    # The same user's stronger event: he counts once, 1.0 instead of 0.2.
    act("ann", heat, "watch", 3)
    act("bob", heat, "watch", 5)
    settled.append(minute(4))
    popular, trending = counted()
    assert popular == {heat: pytest.approx(2.0)}
    assert trending == {(heat, ""): pytest.approx(2.0)}
    assert ItemScore.objects.get().popularity == pytest.approx(1.0)
    settled.append(minute(6))
    assert counted()[0] == {heat: pytest.approx(2.0)}
    assert ItemScore.objects.get().popularity == pytest.approx(2.0)


def test_nothing_is_read_again_that_has_settled(items: dict[str, int], settled: list[datetime]) -> None:
    act("ann", items["heat"], "watch", 1)
    settled.append(minute(2))
    counted()
    ItemScore.objects.update(popularity=7.0)
    act("bob", items["up"], "watch", 3)
    settled.append(minute(4))
    assert counted()[0] == {items["heat"]: 7.0, items["up"]: pytest.approx(1.0)}


def test_a_transaction_that_commits_late_is_counted_once(
    committed: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(item_scores, "SKEW", timedelta(0))
    UserProfile.objects.create(user_id="ann")
    late = connection.copy()
    try:
        late.set_autocommit(False)
        with late.cursor() as cursor:
            cursor.execute(
                "INSERT INTO interactions_event (event_id, occurred_at, user_id, item_id, event_type_id, received_at) "
                "SELECT gen_random_uuid(), now(), (SELECT id FROM interactions_userprofile), %s, id, now() "
                "FROM interactions_eventtype WHERE name = 'watch'",
                [committed["heat"]],
            )
        assert counted() == ({}, {})
        assert counted() == ({}, {})
        late.commit()
        for _ in range(3):
            popular, _ = counted()
            assert popular == {committed["heat"]: pytest.approx(1.0, rel=1e-3)}
    finally:
        late.close()
    assert ItemScore.objects.get().popularity == pytest.approx(1.0, rel=1e-3)


@pytest.fixture
def two_watched(items: dict[str, int], settled: list[datetime]) -> Iterator[int]:
    """Ann in France and Bob, who is nobody's countryman, watched one film, and both have settled."""
    UserProfile.objects.create(user_id="ann", country="FR")
    act("ann", items["heat"], "watch", 1)
    act("bob", items["heat"], "watch", 1)
    settled.append(minute(2))
    assert counted()[1] == {(items["heat"], ""): 2.0, (items["heat"], "FR"): 1.0}
    # As if the last full count were long ago.
    ScoreCount.objects.update(counted_at=NOON)
    yield items["heat"]
    assert not OwedCount.objects.exists()


def test_an_erased_user_no_longer_counts(two_watched: int) -> None:
    erasure.erase_user("ann")
    assert counted() == ({two_watched: 1.0}, {(two_watched, ""): 1.0})


def test_merged_users_count_once(two_watched: int) -> None:
    profiles.merge("bob", "ann")
    assert counted() == ({two_watched: 1.0}, {(two_watched, ""): 1.0, (two_watched, "FR"): 1.0})


def test_who_has_moved_counts_where_he_is(two_watched: int) -> None:
    profiles.store("ann", country="DE")
    assert counted()[1] == {(two_watched, ""): 2.0, (two_watched, "DE"): 1.0}


def test_a_changed_weight_changes_every_score(two_watched: int) -> None:
    EventType.objects.filter(name="watch").update(weight=3.0)
    assert counted()[0] == {two_watched: 6.0}


def test_changed_half_lives_change_every_score(two_watched: int, items: dict[str, int], settings: Any) -> None:
    act("cyn", items["up"], "watch", 1, hours_ago=24)
    settings.INTERACTIONS_POPULARITY_HALF_LIFE_DAYS = 1
    assert counted()[0] == {two_watched: 2.0, items["up"]: 0.5}


def test_after_a_day_of_new_events_the_window_moves(two_watched: int, items: dict[str, int]) -> None:
    act("bob", items["up"], "watch", 3, hours_ago=-24)
    popular, trending = counted()
    assert ScoreCount.objects.get().landmark == NOON + timedelta(days=1)
    assert popular == {two_watched: pytest.approx(2 * 0.5 ** (1 / 30)), items["up"]: 1.0}
    assert trending[items["up"], ""] == 1.0


def test_full_counts_that_are_owed_take_a_tenth_of_the_time(two_watched: int) -> None:
    ScoreCount.objects.update(counted_at=datetime.now(UTC) - timedelta(seconds=50), count_seconds=6.0)
    erasure.erase_user("ann")
    assert counted()[0] == {two_watched: 2.0}
    assert OwedCount.objects.exists()
    ScoreCount.objects.update(counted_at=datetime.now(UTC) - timedelta(seconds=61), count_seconds=6.0)
    assert counted()[0] == {two_watched: 1.0}


def test_erasing_nobody_owes_nothing(two_watched: int) -> None:
    erasure.erase_user("zoe")
    assert not OwedCount.objects.exists()


def test_stored_popularity_follows_item_by_item(items: dict[str, int], settled: list[datetime]) -> None:
    act("ann", items["heat"], "watch", 1)
    settled.append(minute(2))
    assert popularity.refresh() == 1
    # Not counted: what has no news is not written again.
    Item.objects.filter(pk=items["heat"]).update(popularity=9.0)
    act("ann", items["up"], "watch", 3)
    assert popularity.refresh() == 1
    stored = dict(Item.objects.values_list("pk", "popularity"))
    assert (stored[items["heat"]], stored[items["up"]]) == (9.0, 1.0)
