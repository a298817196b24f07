"""Events through Kafka: confirmed by the brokers, written to Postgres once, whatever dies on the way."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import confluent_kafka
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from pytest_django import Settings

from interactions.contracts import EventInput, Verdict
from interactions.event_log import kafka_consumer
from interactions.event_log.base import EventLogAway
from interactions.event_log.handler import check_event_log, event_log
from interactions.event_log.kafka import KafkaEventLog, decode, encode
from interactions.event_log.kafka_consumer import Consumed, EventConsumer
from interactions.models import DeadLetter, Event, EventKey
from interactions.recording import record
from tests.interactions.api.conftest import Send, send

__all__ = ["send"]

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def event(number: int, **fields: Any) -> EventInput:
    given = {"user_id": f"user{number % 7}", "item_id": "heat", "event_type": "watch"}
    return EventInput(**{**given, "occurred_at": NOON + timedelta(seconds=number), **fields})


def consume(log: KafkaEventLog, messages: int) -> Consumed:
    """Run one consumer until it has taken so many messages."""
    consumer = EventConsumer(log.options)
    over = time.monotonic() + 60
    return consumer.run(lambda: consumer.consumed.messages >= messages or time.monotonic() > over)


def stored() -> list[tuple[str, datetime]]:
    return sorted(Event.objects.values_list("user__user_id", "occurred_at"))


def test_a_message_is_the_event() -> None:
    whole = event(1, event_id=UUID(int=7), value=4.5, context={"source": "home"}, request_id=UUID(int=9))
    assert decode(encode(whole)) == whole


@pytest.mark.parametrize("value", [b"", b"no json", b"{}", b'{"user_id":"a","item_id":"b","event_type":"c"}', None])
def test_what_is_no_event_is_told(value: bytes | None) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode(value)


@pytest.mark.usefixtures("committed")
def test_what_was_posted_is_written_once(kafka: KafkaEventLog, send: Send) -> None:
    answer = send("post", "events", {"user_id": "ann", "item_id": "heat", "event_type": "watch"}, scopes=("events",))
    assert answer.status_code == 202
    assert json.loads(answer.content)["accepted"] == 1
    assert Event.objects.count() == 0
    assert consume(kafka, 1) == Consumed(accepted=1)
    assert Event.objects.get().user.user_id == "ann"
    assert Event.objects.get().occurred_at <= datetime.now(UTC)


@pytest.mark.usefixtures("committed")
def test_it_is_what_postgres_alone_would_have_stored(kafka: KafkaEventLog) -> None:
    events = [event(number, value=number / 3) for number in range(50)]
    events += [
        *events[:10],
        event(60, event_id=UUID(int=1)),
        event(67, event_id=UUID(int=1)),
        event(62, item_id="gone"),
    ]
    record(events)
    straight = sorted(Event.objects.values_list("user__user_id", "occurred_at", "value", "item__item_id"))
    letters = DeadLetter.objects.count()
    Event.objects.all().delete()
    DeadLetter.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE interactions_eventkey")
    assert kafka.append(events) == [Verdict("accepted")] * len(events)
    consumed = consume(kafka, len(events))
    assert consumed.messages == len(events)
    assert consumed.duplicate == 10
    assert sorted(Event.objects.values_list("user__user_id", "occurred_at", "value", "item__item_id")) == straight
    assert DeadLetter.objects.count() == letters == 1


@pytest.mark.usefixtures("committed")
def test_what_is_no_event_goes_to_the_dead_letters_and_the_others_go_on(kafka: KafkaEventLog) -> None:
    producer = confluent_kafka.Producer({"bootstrap.servers": kafka.options.servers})
    producer.produce(kafka.options.topic, b"\xff not an event", "ann")
    assert producer.flush(10) == 0
    kafka.append([event(1), event(2)])
    assert consume(kafka, 3) == Consumed(accepted=2, dead=1)
    assert len(stored()) == 2
    reader = confluent_kafka.Consumer(
        {"bootstrap.servers": kafka.options.servers, "group.id": "test", "auto.offset.reset": "earliest"}
    )
    reader.subscribe([kafka.options.dead_letter_topic])
    [letter] = reader.consume(1, 20)
    reader.close()
    assert letter.value() == b"\xff not an event"
    headers = dict(letter.headers())
    assert b"offset 0" in headers["from"]
    assert headers["reason"]


@pytest.mark.usefixtures("committed")
def test_one_poisonous_event_is_found_among_many(kafka: KafkaEventLog, monkeypatch: pytest.MonkeyPatch) -> None:

    def picky(events: list[EventInput], **options: Any) -> list[Verdict]:
        if any(each.user_id == "poison" for each in events):
            raise ValueError("poisonous")
        return record(events, **options)

    monkeypatch.setattr(kafka_consumer, "record", picky)
    events = [event(number) for number in range(20)]
    events[13] = event(13, user_id="poison")
    kafka.append(events)
    assert consume(kafka, 20) == Consumed(accepted=19, dead=1)
    assert len(stored()) == 19


@pytest.mark.usefixtures("committed")
def test_postgres_away_is_waited_for(kafka: KafkaEventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = iter([OperationalError("gone"), OperationalError("still gone")])

    def unsteady(events: list[EventInput], **options: Any) -> list[Verdict]:
        for failure in failures:
            raise failure
        return record(events, **options)

    monkeypatch.setattr(kafka_consumer, "record", unsteady)
    kafka.append([event(1)])
    assert consume(kafka, 1) == Consumed(accepted=1)
    assert len(stored()) == 1


@pytest.mark.usefixtures("committed")
def test_everything_can_be_written_again(kafka: KafkaEventLog) -> None:
    kafka.append([event(number) for number in range(30)])
    assert consume(kafka, 30) == Consumed(accepted=30)
    lost = Event.objects.filter(user__user_id="user3")
    assert lost.count() == 4
    lost.delete()
    EventKey.objects.all().delete()
    assert EventConsumer(kafka.options).replay(None, lambda: False) == Consumed(accepted=4, duplicate=26)
    assert len(stored()) == 30
    later = datetime.now(UTC) + timedelta(hours=1)
    assert EventConsumer(kafka.options).replay(later, lambda: False) == Consumed()


def test_brokers_that_are_away_are_an_error_that_can_be_tried_again(cluster: Any) -> None:
    log = KafkaEventLog({"servers": "127.0.0.1:9", "timeout_seconds": 0.5})
    with pytest.raises(EventLogAway) as refused:
        log.append([event(1)])
    assert (refused.value.status_code, refused.value.code) == (503, "unavailable")
    with pytest.raises(EventLogAway, match=r"no broker at 127\.0\.0\.1:9"):
        log.reach()
    log._producer = None


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"BACKEND": "nowhere.Log"}, "dotted path"),
        ({"BACKEND": "interactions.contracts.EventInput"}, "no EventLog"),
        ({"BACKEND": "interactions.event_log.kafka.KafkaEventLog"}, "servers"),
        ({"BACKEND": "interactions.event_log.kafka.KafkaEventLog", "OPTIONS": {"servers": "a", "tpoic": "b"}}, "tpoic"),
        ({"BACKEND": "interactions.event_log.postgres.PostgresEventLog", "OPTIONS": {"servers": "a"}}, "no options"),
    ],
)
def test_a_setting_that_cannot_be_used_is_told_at_start(settings: Settings, entry: dict[str, Any], told: str) -> None:
    settings.INTERACTIONS_EVENT_LOG = entry
    [message] = check_event_log(None)
    assert message.id == "interactions.E001"
    assert told in message.msg


def test_without_the_library_the_setting_is_refused_with_what_to_install(
    settings: Settings, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.INTERACTIONS_EVENT_LOG = cluster.entry()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    [message] = check_event_log(None)
    assert (message.id, message.hint) == ("interactions.E002", "pip install 'recsite[kafka]'")


def test_there_is_nothing_to_consume_from_postgres() -> None:
    with pytest.raises(CommandError, match="EVENT_LOG is postgres"):
        call_command("consume_events")
    assert event_log().reach() == "in Postgres, at once"
