from __future__ import annotations

import random
import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection, connections

from catalog import revisions
from catalog.models import Item
from interactions import recording
from interactions.contracts import EventInput, Verdict
from interactions.models import DeadLetter, Event, EventKey, StaleHistory, UserProfile
from interactions.recording import record
from interactions.replay import replay_arrived, replay_dead_letters
from tests.interactions.content_ids import derive_event_id

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
ID = UUID("6f1c2f0e-9d1c-4c3e-8f55-0123456789ab")


def event(item_id: str = "heat", event_type: str = "watch", user_id: str = "ann", **fields: object) -> EventInput:
    return EventInput(user_id, item_id, event_type, fields.pop("at", NOON), **fields)  # type: ignore[arg-type]


def statuses(verdicts: list[Verdict]) -> list[str]:
    return [verdict.code or verdict.status for verdict in verdicts]


def test_stores_all_fields_and_creates_the_user(items: dict[str, int]) -> None:
    request_id = UUID(int=7)
    given = event(event_id=ID, value=4.5, context={"source": "home"}, request_id=request_id)
    assert record([given]) == [Verdict("accepted")]
    stored = Event.objects.select_related("user", "event_type").get()
    assert (stored.event_id, stored.occurred_at, stored.item_id) == (ID, NOON, items["heat"])
    assert (stored.user.user_id, stored.event_type.name, stored.value) == ("ann", "watch", 4.5)
    assert (stored.context, stored.request_id) == ({"source": "home"}, request_id)
    assert UserProfile.objects.get().consent == "granted"
    key = EventKey.objects.get()
    assert (key.event_id, key.fingerprint) == (ID, derive_event_id("ann", "heat", "watch", NOON, 4.5))


def test_an_event_without_id_is_the_same_event_when_sent_again(items: dict[str, int]) -> None:
    first = record([event(), event("alien"), event()])
    again = record([event("alien"), event(), event(value=1.0)])
    assert statuses(first) == ["accepted", "accepted", "duplicate"]
    assert statuses(again) == ["duplicate", "duplicate", "accepted"]
    assert Event.objects.count() == 3
    assert not EventKey.objects.exists()


def test_a_given_id_makes_duplicates_and_conflicts(items: dict[str, int]) -> None:
    batch = [event(event_id=ID), event(event_id=ID), event("alien", event_id=ID)]
    assert statuses(record(batch)) == ["accepted", "duplicate", "id_conflict"]
    later = event("heat", event_id=ID, at=NOON + timedelta(seconds=1))
    assert statuses(record([later, event(event_id=ID)])) == ["id_conflict", "duplicate"]
    assert Event.objects.get().occurred_at == NOON


def test_a_given_id_without_timestamp_may_be_retried(items: dict[str, int]) -> None:
    assert statuses(record([event(event_id=ID, at=None)])) == ["accepted"]
    assert statuses(record([event(event_id=ID, at=None)])) == ["duplicate"]
    assert Event.objects.count() == 1


def test_an_unknown_type_is_refused_naming_the_valid_ones(items: dict[str, int]) -> None:
    (verdict,) = record([event(event_type="stare")])
    assert verdict == Verdict(
        "rejected",
        "event_type_unknown",
        "There is no event type 'stare'; valid are: add_to_list, already_seen, click, impression, like, "
        "not_interested, purchase, rating, view, watch.",
    )
    assert not Event.objects.exists()
    assert not UserProfile.objects.exists()
    assert not DeadLetter.objects.exists()


def test_an_unknown_item_waits_as_a_dead_letter_and_is_replayed(items: dict[str, int]) -> None:
    given = event("later", event_id=ID, value=2.0, context={"a": "é"})
    assert statuses(record([given, event()])) == ["item_unknown", "accepted"]
    letter = DeadLetter.objects.get()
    assert (letter.code, letter.item_id, letter.source) == ("item_unknown", "later", "api")
    assert letter.payload.isascii()
    assert replay_dead_letters(["later"]) == 0
    item = Item.objects.create(item_id="later", title="Later")
    assert replay_arrived() == 1
    replayed = Event.objects.get(item_id=item.pk)
    assert (replayed.event_id, replayed.occurred_at, replayed.value, replayed.context) == (ID, NOON, 2.0, {"a": "é"})
    assert DeadLetter.objects.get().replayed_at is not None
    assert replay_dead_letters(["later"]) == 0
    assert Event.objects.count() == 2


def test_an_unknown_item_does_not_create_its_user(items: dict[str, int]) -> None:
    record([event("later")])
    assert not UserProfile.objects.exists()


def test_nothing_is_stored_without_consent(items: dict[str, int]) -> None:
    UserProfile.objects.create(user_id="ann", consent="withheld")
    verdicts = record([event(event_id=ID), event("later"), event(user_id="bob")])
    assert statuses(verdicts) == ["consent_withheld", "item_unknown", "accepted"]
    assert Event.objects.get().user.user_id == "bob"
    assert not EventKey.objects.exists()
    assert not DeadLetter.objects.exists()


def test_out_of_order_events_end_in_the_same_rows(items: dict[str, int]) -> None:
    given = [event(item, at=NOON + timedelta(minutes=n)) for n, item in enumerate(("heat", "alien", "up"))]
    assert statuses(record(given[::-1])) == ["accepted"] * 3
    assert list(Event.objects.order_by("occurred_at").values_list("item_id", flat=True)) == [
        items["heat"],
        items["alien"],
        items["up"],
    ]


def test_an_empty_batch_asks_nothing(django_assert_num_queries: object, db: None) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert record([]) == []


def test_a_batch_takes_the_same_queries_whatever_its_size(
    items: dict[str, int], django_assert_num_queries: object
) -> None:
    revisions.announce_all()
    record([event()])
    for size in (1, 50):
        batch = [event(at=NOON + timedelta(hours=1, seconds=size * 100 + n)) for n in range(size)]
        # Within a transaction items are looked up each time; else there is only the statement that stores.
        with django_assert_num_queries(2):  # type: ignore[operator]
            record(batch)


def test_with_redis_away_events_are_stored_and_the_histories_noted(items: dict[str, int], dead_redis: object) -> None:
    assert statuses(record([event(), event(user_id="bob")])) == ["accepted", "accepted"]
    assert sorted(StaleHistory.objects.values_list("user_id", flat=True)) == ["ann", "bob"]


def test_eight_writers_of_the_same_ids_store_each_once(committed: dict[str, int]) -> None:
    ids = [UUID(int=n + 1) for n in range(120)]
    accepted: list[int] = []
    failures: list[BaseException] = []

    def send(seed: int) -> None:
        shuffled = ids.copy()
        random.Random(seed).shuffle(shuffled)
        batch = [event(event_id=event_id, user_id=f"user{event_id.int % 7}") for event_id in shuffled]
        batch += [event("alien", user_id=f"user{event_id.int % 7}", value=event_id.int) for event_id in shuffled]
        try:
            verdicts = [verdict for start in range(0, 240, 60) for verdict in record(batch[start : start + 60])]
            accepted.append(sum(verdict.status == "accepted" for verdict in verdicts))
            assert {verdict.status for verdict in verdicts} <= {"accepted", "duplicate"}
        except BaseException as error:
            failures.append(error)
            raise
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sum(accepted) == 240
    assert Event.objects.count() == 240
    assert UserProfile.objects.count() == 7


def test_a_deadlock_is_retried_and_stored_once(committed: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    write = recording.write
    calls = []

    def deadlock_first(*arguments: object) -> object:
        calls.append(1)
        if len(calls) == 1:
            with connection.cursor() as cursor:
                cursor.execute("DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$")
        return write(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(recording, "write", deadlock_first)
    assert statuses(record([event(event_id=ID)])) == ["accepted"]
    assert len(calls) == 2
    assert Event.objects.count() == 1


def test_a_new_user_is_where_his_first_event_says(items: dict[str, int]) -> None:
    UserProfile.objects.create(user_id="cyd", country="US")

    def seen(user_id: str, context: dict[str, object]) -> EventInput:
        return EventInput(user_id, "heat", "click", NOON, context=context)

    record(
        [
            seen("ann", {"source": "home"}),
            seen("ann", {"country": "fr"}),
            seen("ann", {"country": "DE"}),
            seen("bob", {"country": "France"}),
            seen("bob", {"country": 33}),
            seen("cyd", {"country": "DE"}),
        ]
    )
    assert dict(UserProfile.objects.values_list("user_id", "country")) == {"ann": "FR", "bob": "", "cyd": "US"}
