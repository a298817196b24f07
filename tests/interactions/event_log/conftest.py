"""Three brokers of Kafka's client library: a mock cluster that other processes reach over TCP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import confluent_kafka
import pytest
from pytest_django import Settings

from interactions.event_log import handler
from interactions.event_log.kafka import KafkaEventLog


class Cluster:
    """The brokers, and one topic of the test's own."""

    def __init__(self) -> None:
        self._holder = confluent_kafka.Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 3})
        self._holder.poll(0.5)
        brokers = self._holder.list_topics(timeout=10).brokers.values()
        self.servers = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
        self._topics = 0

    def entry(self, **options: Any) -> dict[str, Any]:
        """Return an INTERACTIONS_EVENT_LOG of a new topic."""
        self._topics += 1
        name = f"events-{self._topics}"
        named = {"topic": name, "group": name, "dead_letter_topic": f"{name}-dead"}
        return {
            "BACKEND": "interactions.event_log.kafka.KafkaEventLog",
            "OPTIONS": {"servers": self.servers, **named, **options},
        }


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def kafka(cluster: Cluster, settings: Settings) -> Iterator[KafkaEventLog]:
    """The log of the process is Kafka's."""
    settings.INTERACTIONS_EVENT_LOG = cluster.entry()
    log = handler.event_log()
    assert isinstance(log, KafkaEventLog)
    yield log
    log._producer = None
