"""Forgetting ids given by clients once nobody retries them any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import connection

from interactions import conf

BATCH = 50_000
"""Rows a statement, so that no lock is held for long."""


def purge(now: datetime | None = None) -> int:
    """Delete the ids received longer ago than `conf.event_key_days`. Returns how many.

    A repeat with its own timestamp is still recognised afterwards by the event itself.
    """
    before = (now or datetime.now(UTC)) - timedelta(days=conf.event_key_days())
    purged = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                """
                DELETE FROM interactions_eventkey WHERE event_id IN (
                    SELECT event_id FROM interactions_eventkey WHERE received_at < %s
                    ORDER BY event_id LIMIT %s FOR UPDATE SKIP LOCKED
                )
                """,
                [before, BATCH],
            )
            purged += int(cursor.rowcount)
            if cursor.rowcount < BATCH:
                return purged
