"""Events go to a topic of Kafka first, keyed by user, and to Postgres by `kafka_consumer`.

The answer waits for all in-sync replicas (`acks=all`, idempotent producer). What only Postgres knows (duplicates,
unknown items, withheld consent) is judged by the consumer: here every event is accepted.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.core.checks import CheckMessage, Error

from interactions.contracts import ACCEPTED, EventInput, Verdict
from interactions.event_log.base import EventLog, EventLogAway

try:
    import confluent_kafka
except ImportError:  # an extra: most sites need no Kafka
    confluent_kafka = None  # type: ignore[assignment]

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(EventInput)


class KafkaOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """OPTIONS of the backend."""

    servers: str
    """host:port, separated by commas."""
    topic: str = "recsite-events"
    group: str = "recsite-events"
    """Of the consumers that write to Postgres."""
    dead_letter_topic: str = "recsite-events-dead"
    """What cannot be read or stored, with the reason in the header `reason`."""
    timeout_seconds: float = 5.0
    """How long a request waits for the brokers."""
    client: dict[str, Any] = {}
    """Settings of librdkafka for producers and consumers: security.protocol, sasl.username, …"""


def options_of(options: Mapping[str, Any]) -> KafkaOptions:
    """Return OPTIONS read; raise ValueError for what is missing, unknown or of another type."""
    return msgspec.convert(dict(options), KafkaOptions)


def encode(event: EventInput) -> bytes:
    """Return what a message holds: the event as JSON."""
    return _encoder.encode(event)


def decode(value: bytes | None) -> EventInput:
    """Return the event of a message; raise ValueError for what is none, or has no moment of its own."""
    event = _decoder.decode(value or b"")
    if event.occurred_at is None or event.occurred_at.tzinfo is None:
        raise ValueError("occurred_at is missing or has no offset")
    return event


class KafkaEventLog(EventLog):
    """One producer a process, made on first use, since threads of librdkafka do not survive a fork."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = options_of(options)
        self._lock = threading.Lock()
        self._producer: Any = None

    @classmethod
    def check(cls, options: Mapping[str, Any]) -> list[CheckMessage]:
        """See `EventLog.check`."""
        if importlib.util.find_spec("confluent_kafka"):
            return []
        return [Error("Kafka's client is not installed.", hint="pip install 'recsite[kafka]'", id="interactions.E002")]

    def append(self, events: Sequence[EventInput]) -> list[Verdict]:
        """See `EventLog.append`; returns once the brokers have confirmed every event.

        An event without a moment gets the present one here, so that it is the same event however often it is consumed.
        """
        now = datetime.now(UTC)
        confirmed = _Confirmations(len(events))
        producer = self._connected()
        try:
            for event in events:
                if event.occurred_at is None:
                    event = msgspec.structs.replace(event, occurred_at=now)
                producer.produce(self.options.topic, encode(event), event.user_id, on_delivery=confirmed.one)
        except BufferError as error:
            raise EventLogAway("too many events wait for the brokers") from error
        except confluent_kafka.KafkaException as error:
            # A producer that can no longer keep its order says so for ever.
            self._producer = None
            raise EventLogAway(error.args[0].str()) from error
        confirmed.wait(self.options.timeout_seconds)
        return [ACCEPTED] * len(events)

    def reach(self) -> str:
        """See `EventLog.reach`."""
        options = self.options
        try:
            metadata = self._connected().list_topics(options.topic, timeout=options.timeout_seconds)
        except confluent_kafka.KafkaException as error:
            raise EventLogAway(f"no broker at {options.servers} answers: {error.args[0].str()}") from error
        topic = metadata.topics[options.topic]
        if topic.error is not None:
            raise EventLogAway(f"topic {options.topic}: {topic.error.str()}; create it, see README")
        return f"in Kafka, topic {options.topic} with {len(topic.partitions)} partitions"

    def _connected(self) -> Any:
        with self._lock:
            if self._producer is None:
                self._producer = confluent_kafka.Producer(
                    {
                        **self.options.client,
                        "bootstrap.servers": self.options.servers,
                        "acks": "all",
                        "enable.idempotence": True,
                        "linger.ms": 5,
                        # What is given up is also forgotten: nobody has promised it.
                        "message.timeout.ms": int(self.options.timeout_seconds * 1000),
                    }
                )
                threading.Thread(
                    target=self._hear, args=[self._producer], name="kafka confirmations", daemon=True
                ).start()
            return self._producer

    def _hear(self, producer: Any) -> None:
        while producer is self._producer:
            producer.poll(1.0)


class _Confirmations:
    """Counts the brokers' answers to one batch."""

    def __init__(self, expected: int) -> None:
        self._missing = expected
        self._refused = ""
        self._all = threading.Event()
        if not expected:
            self._all.set()

    def one(self, error: Any, message: Any) -> None:
        """Note one answer; called by the one thread that polls."""
        if error is not None:
            self._refused = error.str()
        self._missing -= 1
        if not self._missing:
            self._all.set()

    def wait(self, seconds: float) -> None:
        """Return when all are confirmed; raise EventLogAway otherwise."""
        # librdkafka gives up after `seconds` and says so; the second more is for hearing it.
        if not self._all.wait(seconds + 1.0):
            raise EventLogAway(f"no confirmation within {seconds:g} s")
        if self._refused:
            raise EventLogAway(self._refused)
