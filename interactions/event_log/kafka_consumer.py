"""From Kafka to Postgres: every event of the topic once, whatever dies between the two.

Offsets are committed after the database's COMMIT. A consumer killed between the two reads a batch again, and
`recording` knows its events; two that read the same batch wait for each other there.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import confluent_kafka
from confluent_kafka import KafkaException, TopicPartition
from django.db import Error, InterfaceError, OperationalError, connection
from prometheus_client import Counter, Gauge

from interactions.contracts import EventInput
from interactions.event_log.base import EventLogAway
from interactions.event_log.kafka import KafkaOptions, decode
from interactions.metrics import events_judged
from interactions.recording import record

logger = logging.getLogger(__name__)

BATCH = 1_000
POLL_SECONDS = 0.5
LONGEST_PAUSE = 10.0
"""Seconds between two tries while Postgres is away."""

LAG = Gauge("interactions_event_log_lag", "Messages of the topic that are not in Postgres yet.", ["partition"])
DEAD = Counter("interactions_event_log_dead", "Messages that went to the dead-letter topic.")


@dataclass(slots=True)
class Consumed:
    """What became of the messages."""

    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0
    """For a reason that `recording` names; unknown items wait in Postgres."""
    dead: int = 0
    """In the dead-letter topic."""

    @property
    def messages(self) -> int:
        return self.accepted + self.duplicate + self.rejected + self.dead


class EventConsumer:
    """One member of the group. Not for several threads."""

    def __init__(self, options: KafkaOptions) -> None:
        self.options = options
        self.consumed = Consumed()
        common = {**options.client, "bootstrap.servers": options.servers}
        self._consumer = confluent_kafka.Consumer(
            {
                # So soon others take over from one that was killed.
                "session.timeout.ms": 10_000,
                **common,
                "group.id": options.group,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                # A batch waits for Postgres as long as Postgres is away.
                "max.poll.interval.ms": 3_600_000,
            }
        )
        self._producer = confluent_kafka.Producer({**common, "acks": "all", "enable.idempotence": True})

    def run(self, is_over: Callable[[], bool]) -> Consumed:
        """Write what comes until `is_over`; then leave the group, so that others take over at once."""
        self._consumer.subscribe([self.options.topic])
        try:
            while not is_over():
                messages = self._received()
                if messages:
                    self._take(messages, is_over)
                    self._commit(messages)
                self._tell_lag()
        finally:
            self._consumer.close()
        return self.consumed

    def replay(self, since: datetime | None, is_over: Callable[[], bool]) -> Consumed:
        """Write everything of the topic from `since` to its present end again; the group's offsets stay.

        Events that are in Postgres are known there and counted as duplicates.

        Parameters
        ----------
        since
            Aware; of the brokers' clocks. None: from the first message that is kept.
        """
        topic = self.options.topic
        partitions = self._consumer.list_topics(topic, timeout=10).topics[topic].partitions
        bounds = {
            number: self._consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=10)
            for number in partitions
        }
        ends = {number: end for number, (_, end) in bounds.items()}
        if since is None:
            starts = [TopicPartition(topic, number, start) for number, (start, _) in bounds.items()]
        else:
            milliseconds = int(since.timestamp() * 1000)
            asked = [TopicPartition(topic, number, milliseconds) for number in partitions]
            starts = self._consumer.offsets_for_times(asked, timeout=10)
        open_ends = [start for start in starts if 0 <= start.offset < ends[start.partition]]
        waiting = {start.partition for start in open_ends}
        self._consumer.assign(open_ends)
        try:
            while waiting and not is_over():
                messages = self._received()
                self._take([each for each in messages if each.offset() < ends[each.partition()]], is_over)
                for position in self._consumer.position(open_ends):
                    if position.offset >= ends[position.partition]:
                        waiting.discard(position.partition)
        finally:
            self._consumer.close()
        return self.consumed

    def _received(self) -> list[Any]:
        """Return the next messages, none when none came; raise EventLogAway where trying again is of no use."""
        messages = []
        for message in self._consumer.consume(BATCH, POLL_SECONDS):
            if (error := message.error()) is None:
                messages.append(message)
            elif error.fatal():
                raise EventLogAway(error.str())
            else:
                logger.warning("Kafka: %s", error.str())
        return messages

    def _take(self, messages: Sequence[Any], is_over: Callable[[], bool]) -> None:
        events: list[tuple[Any, EventInput]] = []
        for message in messages:
            try:
                events.append((message, decode(message.value())))
            except ValueError as error:
                self._bury(message, error)
        self._store(events, is_over)
        if self._producer.flush(self.options.timeout_seconds):
            raise EventLogAway("the dead-letter topic takes nothing")

    def _store(self, events: Sequence[tuple[Any, EventInput]], is_over: Callable[[], bool]) -> None:
        """Record a batch. Postgres away: wait. An event that nobody can store: the halves, down to that one."""
        if not events:
            return
        try:
            self._record([event for _, event in events], is_over)
        except (Error, ValueError, TypeError) as error:
            if isinstance(error, OperationalError | InterfaceError):
                raise
            if len(events) == 1:
                self._bury(events[0][0], error)
                return
            half = len(events) // 2
            self._store(events[:half], is_over)
            self._store(events[half:], is_over)

    def _record(self, events: Sequence[EventInput], is_over: Callable[[], bool]) -> None:
        pause = 0.1
        while True:
            try:
                verdicts = record(events, source="kafka")
                break
            except (OperationalError, InterfaceError) as error:
                if is_over():
                    raise
                logger.warning("Postgres takes no events, tried again in %.1f s: %s", pause, error)
                connection.close()
                time.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
        for verdict in verdicts:
            events_judged.labels(verdict.status, verdict.code).inc()
            setattr(self.consumed, verdict.status, getattr(self.consumed, verdict.status) + 1)

    def _bury(self, message: Any, error: Exception) -> None:
        place = f"partition {message.partition()} offset {message.offset()}"
        logger.error("%s goes to %s: %s", place, self.options.dead_letter_topic, error)
        reason: list[tuple[str, str | bytes | None]] = [("reason", str(error).encode()), ("from", place.encode())]
        self._producer.produce(self.options.dead_letter_topic, message.value(), message.key(), headers=reason)
        self.consumed.dead += 1
        DEAD.inc()

    def _commit(self, messages: Iterable[Any]) -> None:
        newest = {message.partition(): message.offset() + 1 for message in messages}
        offsets = [TopicPartition(self.options.topic, partition, offset) for partition, offset in newest.items()]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            # The partitions have gone to another member meanwhile: it reads the batch again, as duplicates.
            logger.warning("offsets are not committed: %s", error.args[0].str())

    def _tell_lag(self) -> None:
        for place in self._consumer.position(self._consumer.assignment()):
            _, end = self._consumer.get_watermark_offsets(place, cached=True)
            if place.offset >= 0 and end >= 0:
                LAG.labels(place.partition).set(end - place.offset)
