from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.db import transaction

from catalog import revisions
from catalog.redis_store import client, key
from interactions import feature_store, features, recording, redis_breaker, stale_histories
from interactions.contracts import EventInput
from interactions.features import UserFeatures, load
from interactions.models import EventType, StaleHistory, UserProfile
from interactions.recording import record

pytestmark = pytest.mark.usefixtures("each_redis")

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)


def event(item_id: str = "heat", event_type: str = "watch", user_id: str = "ann", **fields: object) -> EventInput:
    return EventInput(user_id, item_id, event_type, fields.pop("at", NOON), **fields)  # type: ignore[arg-type]


def assert_same(one: UserFeatures, other: UserFeatures) -> None:
    for name in ("user_id", "known", "country", "consent"):
        assert getattr(one, name) == getattr(other, name), name
    for name in ("item_pks", "type_ids", "occurred_at", "values", "seen_pks"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), name)


def test_gives_the_history_newest_first_and_what_was_seen(committed: dict[str, int]) -> None:
    record(
        [event("heat", at=NOON), event("up", "rating", value=4.5, at=NOON + timedelta(hours=1)), event("alien", "view")]
    )
    found, current = load("ann")
    types = dict(EventType.objects.values_list("name", "id"))
    # "alien" and "heat" share their moment: the higher event id is first, in Redis as in Postgres.
    assert found.item_pks[0] == committed["up"]
    assert set(found.item_pks[1:]) == {committed["heat"], committed["alien"]}
    assert found.type_ids[0] == types["rating"]
    assert found.occurred_at.tolist() == [NOON.timestamp() + 3600, NOON.timestamp(), NOON.timestamp()]
    assert found.values[0] == 4.5
    assert np.isnan(found.values[1:]).all()
    assert found.seen_pks.tolist() == sorted([committed["heat"], committed["up"]])
    assert (found.known, found.consent, found.country) == (True, True, "")
    assert (found.item_pks.dtype, found.values.dtype, found.occurred_at.dtype) == (np.int64, np.float32, np.float64)
    assert current == revisions.from_database()


def test_an_event_shows_on_the_next_load_without_a_query(
    committed: dict[str, int], django_assert_num_queries: object
) -> None:
    load("ann")
    record([event()])
    load("ann")
    record([event("alien")])
    with django_assert_num_queries(0):  # type: ignore[operator]
        found, _ = load("ann")
    assert sorted(found.item_pks) == sorted([committed["heat"], committed["alien"]])
    assert_same(found, features.as_of("ann"))


def test_an_unknown_user_is_remembered_until_his_first_event(
    committed: dict[str, int], django_assert_num_queries: object
) -> None:
    assert load("ann")[0].known is False
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert load("ann")[0].known is False
    record([event()])
    assert load("ann")[0].item_pks.tolist() == [committed["heat"]]


def test_redis_and_postgres_agree_after_random_events(committed: dict[str, int]) -> None:
    dice = random.Random(5)
    names = list(EventType.objects.values_list("name", flat=True))
    for _ in range(60):
        batch = [
            event(
                dice.choice(list(committed)),
                dice.choice(names),
                dice.choice(["ann", "bob"]),
                at=NOON - timedelta(minutes=dice.randrange(50)),
                value=dice.choice([None, 1.0, -2.5, 1e300]),
            )
            for _ in range(dice.randrange(1, 8))
        ]
        record(batch)
        if dice.random() < 0.3:
            features.forget(["ann"])
        if dice.random() < 0.1:
            client().delete(feature_store.user_key("bob"))
        for user_id in ("ann", "bob"):
            if dice.random() < 0.6:
                assert_same(load(user_id)[0], features.as_of(user_id))
    assert len(load("ann")[0].item_pks) > 50


def test_a_long_history_is_cut_to_the_newest(committed: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "HISTORY_LENGTH", 300)
    record([event(at=NOON)])
    load("ann")
    for start in range(0, 700, 100):
        record([event("alien", at=NOON + timedelta(seconds=1 + start + n)) for n in range(100)])
        assert_same(load("ann")[0], features.as_of("ann"))
    found, _ = load("ann")
    assert len(found.item_pks) == 300
    assert found.occurred_at[0] == NOON.timestamp() + 700
    assert found.seen_pks.tolist() == sorted([committed["heat"], committed["alien"]])


def test_an_event_between_a_rebuilds_read_and_its_store_is_not_lost(
    committed: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    record([event("heat")])
    features.forget(["ann"])
    read_postgres = features._from_database

    def read_then_be_overtaken(*arguments: object) -> object:
        result = read_postgres(*arguments)  # type: ignore[arg-type]
        record([event("alien")])
        return result

    monkeypatch.setattr(features, "_from_database", read_then_be_overtaken)
    assert load("ann")[0].item_pks.tolist() == [committed["heat"]]
    monkeypatch.undo()
    assert_same(load("ann")[0], features.as_of("ann"))
    assert len(load("ann")[0].item_pks) == 2


def test_an_event_appended_after_a_rebuild_that_saw_it_counts_once(
    committed: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    record([event("heat")])
    features.forget(["ann"])
    close = recording._close_writes

    def load_first(*arguments: object) -> None:
        assert len(load("ann")[0].item_pks) == 2
        close(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(recording, "_close_writes", load_first)
    record([event("alien")])
    assert len(load("ann")[0].item_pks) == 2


def test_a_writer_killed_after_its_commit_does_not_leave_a_stale_history(
    committed: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    record([event("heat")])
    load("ann")
    monkeypatch.setattr(recording, "_close_writes", lambda *_: None)
    record([event("alien")])
    monkeypatch.undo()
    assert_same(load("ann")[0], features.as_of("ann"))
    assert len(load("ann")[0].item_pks) == 2
    monkeypatch.setattr(feature_store, "UNFINISHED_SECONDS", 0)
    load("ann")
    assert client().zcard(feature_store._marks_key("ann")) == 0
    assert_same(load("ann")[0], features.as_of("ann"))


def test_without_redis_everything_comes_from_postgres(
    committed: dict[str, int], dead_redis: object, django_assert_num_queries: object
) -> None:
    record([event("heat"), event("up", "rating", value=3.0)])
    load("ann")
    with django_assert_num_queries(4):  # type: ignore[operator]
        found, current = load("ann")
    assert set(found.item_pks) == {committed["heat"], committed["up"]}
    assert current == revisions.from_database()


def test_a_history_that_redis_missed_is_mended(
    committed: dict[str, int], monkeypatch: pytest.MonkeyPatch, settings: object
) -> None:
    record([event("heat")])
    load("ann")
    with monkeypatch.context() as patch:
        patch.setattr(redis_breaker, "FAILURES", 0)
        patch.setattr(redis_breaker.breaker, "_closed_again_at", float("inf"))
        record([event("alien")])
        assert stale_histories.mend() == 0
    assert len(load("ann")[0].item_pks) == 1
    assert stale_histories.mend() == 1
    assert not StaleHistory.objects.exists()
    assert len(load("ann")[0].item_pks) == 2


def test_the_breaker_stops_asking_after_five_failures(dead_redis: object, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(redis_breaker.time, "monotonic", lambda: clock[0])
    asked = []

    def ping(redis_client: object) -> object:
        asked.append(1)
        return redis_client.ping()  # type: ignore[attr-defined]

    for _ in range(8):
        with pytest.raises(redis_breaker.RedisAway):
            redis_breaker.ask(ping)
    assert len(asked) == 5
    clock[0] += redis_breaker.PAUSE_SECONDS
    for _ in range(3):
        with pytest.raises(redis_breaker.RedisAway):
            redis_breaker.ask(ping)
    assert len(asked) == 6
    clock[0] += redis_breaker.PAUSE_SECONDS
    assert redis_breaker.ask(lambda _: "back") == "back"
    assert redis_breaker.ask(lambda _: "still") == "still"


def test_missing_revisions_are_read_and_announced(committed: dict[str, int]) -> None:
    client().delete(revisions.hash_key())
    _, current = load("ann")
    assert current == revisions.from_database()
    assert revisions.from_reply(client().hmget(revisions.hash_key(), revisions.NAMES)) == current


def test_a_changed_event_type_changes_what_was_seen(committed: dict[str, int]) -> None:
    record([event("heat", "click"), event("up", "watch")])
    assert load("ann")[0].seen_pks.tolist() == [committed["up"]]
    try:
        with transaction.atomic():
            EventType.objects.filter(name="click").update(marks_seen=True)
        assert load("ann")[0].seen_pks.tolist() == sorted([committed["heat"], committed["up"]])
    finally:
        EventType.objects.filter(name="click").update(marks_seen=False)


def test_without_consent_the_history_is_empty(committed: dict[str, int]) -> None:
    record([event("heat")])
    UserProfile.objects.filter(user_id="ann").update(consent="withheld", country="FR")
    features.forget(["ann"])
    found, _ = load("ann")
    assert (found.known, found.consent, found.country) == (True, False, "FR")
    assert (len(found.item_pks), len(found.seen_pks)) == (0, 0)


def test_writing_about_somebody_whom_nobody_reads_leaves_nothing_in_redis(committed: dict[str, int]) -> None:
    revisions.announce_all()
    keys = set(client().scan_iter(key("user", "*")))
    record([event(user_id=f"user{n}") for n in range(2 * feature_store.USERS_A_CALL + 3)])
    assert set(client().scan_iter(key("user", "*"))) == keys
    assert client().zcard(feature_store._marks_key("ann")) == 0


def test_one_call_tells_the_cached_users_of_a_batch_from_the_others(committed: dict[str, int]) -> None:
    record([event("heat", user_id="ann"), event("heat", user_id="cyd")])
    load("ann")
    load("nobody")
    record([event(item, user_id=user) for user in ("ann", "bob", "cyd", "nobody") for item in ("alien", "up")])
    for user_id, items in (("ann", 3), ("bob", 2), ("cyd", 3), ("nobody", 2)):
        assert len(load(user_id)[0].item_pks) == items
        assert_same(load(user_id)[0], features.as_of(user_id))


def test_while_somebody_writes_nothing_is_taken_from_or_put_into_the_cache(
    committed: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    record([event("heat")])
    load("ann")
    close = recording._close_writes
    seen = []

    def load_first(*arguments: object) -> None:
        cached, _ = feature_store.read("ann")
        seen.append((cached.is_known, feature_store.store("ann", replace(cached, is_known=True))))
        close(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(recording, "_close_writes", load_first)
    record([event("alien")])
    assert seen == [(None, False)]
    assert feature_store.read("ann")[0].is_known
    assert_same(load("ann")[0], features.as_of("ann"))


def test_a_name_that_begins_like_anothers_is_not_his(committed: dict[str, int]) -> None:
    record([event(user_id="an")])
    load("an")
    feature_store.open_writes(["ann", "a", "an\x01", "bn"])
    assert feature_store.read("an")[0].is_known
    assert feature_store.read("ann")[0].is_known is None


def test_what_was_merely_shown_is_in_no_history(committed: dict[str, int]) -> None:
    """Neither in what is appended after a commit nor in what is read from Postgres."""
    expected = sorted([committed["heat"], committed["alien"]])
    record([event("heat"), event("alien")])
    assert sorted(load("ann")[0].item_pks.tolist()) == expected
    record([event("heat", "impression"), event("up", "impression")])
    assert sorted(load("ann")[0].item_pks.tolist()) == expected
    features.forget(["ann"])
    assert sorted(load("ann")[0].item_pks.tolist()) == expected
