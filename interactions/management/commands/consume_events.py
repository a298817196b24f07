"""Write the events of Kafka's topic to Postgres."""

from __future__ import annotations

import argparse
import signal
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from prometheus_client import start_http_server

from interactions.event_log.base import EventLogAway
from interactions.event_log.handler import event_log
from interactions.event_log.kafka import KafkaEventLog

BEGINNING = "beginning"


def moment(text: str) -> datetime | str:
    """Read an RFC 3339 moment or `beginning`."""
    if text == BEGINNING:
        return text
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if read.tzinfo is None:
        raise argparse.ArgumentTypeError("it needs an offset, e.g. 2026-01-01T00:00:00Z")
    return read


class Command(BaseCommand):
    """`manage.py consume_events [--since MOMENT|beginning] [--metrics-port PORT]`."""

    help = "Write the events of Kafka's topic to Postgres until stopped; run as many as the topic has partitions."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument("--since", type=moment, help="Write all since then again, to the present end, and stop.")
        parser.add_argument("--metrics-port", type=int, help="Show Prometheus the lag there.")

    def handle(self, *args: Any, since: datetime | str | None, metrics_port: int | None, **options: Any) -> None:
        """Consume until SIGTERM or SIGINT; the batch at hand is finished first."""
        log = event_log()
        if not isinstance(log, KafkaEventLog):
            raise CommandError("EVENT_LOG is postgres: events are there at once, nothing is to be consumed.")
        # Needs the client, which `check` has found by now.
        from interactions.event_log.kafka_consumer import EventConsumer

        stopping = False

        def stop(*_: Any) -> None:
            nonlocal stopping
            stopping = True

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        try:
            self.stdout.write(f"Events are {log.reach()}.")
            if metrics_port:
                start_http_server(metrics_port)
            consumer = EventConsumer(log.options)
            if since is None:
                consumed = consumer.run(lambda: stopping)
            else:
                start = since if isinstance(since, datetime) else None
                consumed = consumer.replay(start, lambda: stopping)
        except EventLogAway as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            f"{consumed.messages:,} messages: {consumed.accepted:,} accepted, {consumed.duplicate:,} duplicate, "
            f"{consumed.rejected:,} rejected, {consumed.dead:,} dead"
        )
