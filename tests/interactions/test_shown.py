"""What somebody was shown: kept where it is asked for, equal to Postgres, and gone with him."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis

from catalog.redis_store import client
from interactions import erasure, feature_rebuilding, feature_store, features, impressions, profiles, shown
from interactions.contracts import EventInput, ServedItem, ServedList
from interactions.recording import record

pytestmark = pytest.mark.usefixtures("each_redis")

NOW = int(time.time())


def show(*item_pks: int, user_id: str = "ann", at: float = NOW) -> None:
    """Show a list, as a request does."""
    impressions.record(
        [
            ServedList(
                request_id=uuid.uuid4(),
                shown_at=at,
                user_id=user_id,
                placement="home",
                model_version="v1",
                rules_version=1,
                items=tuple(ServedItem(item_pk=pk, position=n, source="x") for n, pk in enumerate(item_pks)),
            )
        ]
    )


def asked(user_id: str = "ann") -> list[tuple[int, int]]:
    return sorted(features.load(user_id, with_shown=True)[0].shown.tolist())


def held(user_id: str = "ann") -> bytes | None:
    found: bytes | None = client().hget(feature_store.user_key(user_id), feature_store.SHOWN)
    return found


@pytest.fixture
def ann(committed: dict[str, int]) -> dict[str, int]:
    """Somebody whom a request has read."""
    profiles.store("ann")
    features.load("ann")
    return committed


def test_where_nobody_asks_nothing_is_kept(ann: dict[str, int]) -> None:
    show(1, 2)
    features.load("ann")
    assert held() is None


def test_it_is_filled_from_postgres_and_then_appended_to(ann: dict[str, int], django_assert_num_queries: Any) -> None:
    show(1, 2, at=NOW - 3600.5)
    impressions.write_pending()
    with django_assert_num_queries(1):
        assert asked() == [(1, NOW - 3601), (2, NOW - 3601)]
    show(2, at=NOW)
    show(7, user_id="bob")
    with django_assert_num_queries(0):
        assert asked() == [(1, NOW - 3601), (2, NOW - 3601), (2, NOW)]
    impressions.write_pending()
    assert asked() == sorted(shown.unpack(shown.from_database("ann")).tolist())


def test_it_comes_in_the_round_trip_of_all_the_rest(ann: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    asked()
    show(1)
    trips: list[Any] = []
    ask = feature_store.ask

    def counting(call: Any) -> Any:
        trips.append(call)
        return ask(call)

    monkeypatch.setattr(feature_store, "ask", counting)
    assert asked() == [(1, NOW)]
    assert len(trips) == 1
    assert features.load("ann")[0].stored.shown is None


def test_only_the_newest_are_kept(ann: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown, "MOST", 4)
    asked()
    for number in range(12):
        show(number, at=NOW + number)
        assert len(held() or b"") <= (2 * 4 + 1) * shown.RECORD.itemsize
    assert asked() == [(number, NOW + number) for number in (8, 9, 10, 11)]
    impressions.write_pending()
    features.forget(["ann"])
    monkeypatch.setattr(shown.time, "time", lambda: NOW + 60)
    assert asked() == [(number, NOW + number) for number in (8, 9, 10, 11)]


def test_what_is_older_than_any_rule_looks_is_not_read(ann: dict[str, int]) -> None:
    show(1, at=NOW - (shown.LONGEST_DAYS + 1) * 86_400)
    show(2, at=NOW - (shown.LONGEST_DAYS - 1) * 86_400)
    impressions.write_pending()
    assert [pk for pk, _ in asked()] == [2]


def test_an_event_leaves_it_as_it_is(ann: dict[str, int], django_assert_num_queries: Any) -> None:
    asked()
    show(1)
    record([EventInput("ann", "heat", "watch", datetime.now(UTC))])
    with django_assert_num_queries(0):
        assert asked() == [(1, NOW)]


def test_without_consent_nothing_is_read_or_kept(ann: dict[str, int]) -> None:
    asked()
    show(1)
    impressions.write_pending()
    profiles.store("ann", consent="withheld")
    assert held() is None
    assert asked() == []
    assert held() is None


def test_nobody_in_particular_was_shown_nothing(committed: dict[str, int]) -> None:
    assert asked("") == []


def test_somebody_unknown_is_counted_too(committed: dict[str, int]) -> None:
    assert asked("visitor") == []
    show(1, user_id="visitor")
    assert asked("visitor") == [(1, NOW)]


def test_it_is_erased_with_the_person(ann: dict[str, int]) -> None:
    asked()
    show(1)
    impressions.write_pending()
    show(2)
    erasure.erase_user("ann")
    assert held() is None
    assert asked() == []


def test_two_people_who_are_one_were_shown_what_both_were(ann: dict[str, int]) -> None:
    profiles.store("visitor")
    for user_id in ("ann", "visitor"):
        asked(user_id)
    show(1, at=NOW - 10)
    show(2, user_id="visitor")
    impressions.write_pending()
    profiles.merge("visitor", "ann")
    assert (held(), held("visitor")) == (None, None)
    assert asked() == [(1, NOW - 10), (2, NOW)]


def test_a_filling_that_an_erasure_overtakes_is_not_kept(ann: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    show(1)
    impressions.write_pending()
    read = shown.from_database

    def overtaken(user_id: str) -> bytes:
        found = read(user_id)
        erasure.erase_user(user_id)
        return found

    monkeypatch.setattr(shown, "from_database", overtaken)
    asked()
    assert held() is None


def test_a_filling_is_not_put_over_another_s(ann: dict[str, int]) -> None:
    generation, _ = feature_store.read_shown("ann")
    feature_store.store_shown("ann", generation, b"")
    show(1)
    feature_store.store_shown("ann", generation, b"")
    assert asked() == [(1, NOW)]


def test_after_a_loss_it_comes_back_from_postgres(ann: dict[str, int]) -> None:
    asked()
    show(1)
    impressions.write_pending()
    client().delete(feature_store.user_key("ann"))
    feature_rebuilding.rebuild()
    assert held() is None
    assert asked() == [(1, NOW)]
    # Of a server that was started again, what is held may lack the newest.
    client().hset(feature_store.user_key("ann"), feature_store.SHOWN, b"")
    client().delete(feature_rebuilding._mark_key())
    feature_rebuilding.rebuild()
    assert asked() == [(1, NOW)]


def test_with_redis_away_postgres_says_it(ann: dict[str, int], dead_redis: redis.Redis) -> None:
    show(1)
    assert asked() == [(1, NOW)]


def test_with_neither_nothing_is_held_against_anything(ann: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    def refuse(user_id: str) -> bytes:
        raise OperationalError("gone")

    monkeypatch.setattr(shown, "from_database", refuse)
    assert asked() == []
    assert held() is None


def test_what_was_shown_by_a_moment(ann: dict[str, int]) -> None:
    show(1, at=NOW - 7200)
    show(2, at=NOW - 60)
    impressions.write_pending()
    an_hour_ago = datetime.fromtimestamp(NOW, UTC) - timedelta(hours=1)
    assert shown.unpack(shown.from_database("ann", an_hour_ago)).tolist() == [(1, NOW - 7200)]


def test_a_list_is_packed_by_whole_seconds() -> None:
    one = ServedList(
        request_id=uuid.uuid4(), shown_at=12.9, user_id="ann", placement="", model_version="", rules_version=1,
        items=(ServedItem(item_pk=2**40, position=0, source=""), ServedItem(item_pk=3, position=1, source="")),
    )  # fmt: skip
    assert shown.unpack(shown.pack(one)).tolist() == [(2**40, 12), (3, 12)]
