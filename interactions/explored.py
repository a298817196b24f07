"""How often exploration has shown each new item lately, and how often it was taken from there: what its budget is
counted by, and what a bandit learns from.

Counted from the impressions in Postgres by beat (`refresh`), held by every process (`current`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import connection

from interactions import explored_contexts
from interactions.announced import Announced

SOURCE = "exploration"
"""`source` of the impressions that exploration made."""
WINDOW_DAYS = 14

NAME = "explored"
"""Of the Redis key."""
_announced: Announced[dict[int, int]] = Announced(NAME, dict[int, int], {})
_taken: Announced[dict[int, int]] = Announced("explored_taken", dict[int, int], {})


def refresh() -> int:
    """Count anew and tell every process; return the number of items that exploration has shown."""
    now = datetime.fromtimestamp(time.time(), UTC)
    counts = as_of(now)
    _announced.announce(counts)
    _taken.announce(_taken_as_of(now))
    explored_contexts.refresh(now, timedelta(days=WINDOW_DAYS), SOURCE)
    return len(counts)


def as_of(moment: datetime) -> dict[int, int]:
    """Count in Postgres what `current` gave at `moment`."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT item_id, count(*) FROM interactions_impression "  # noqa: S608 -- a constant of this file
            f"WHERE source = '{SOURCE}' AND shown_at >= %s AND shown_at <= %s GROUP BY item_id",
            [moment - timedelta(days=WINDOW_DAYS), moment],
        )
        return {int(pk): int(shown) for pk, shown in cursor.fetchall()}


def _taken_as_of(moment: datetime) -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT shown.item_id, count(DISTINCT shown.request_id)
            FROM interactions_impression shown
            JOIN interactions_event event ON event.request_id = shown.request_id AND event.item_id = shown.item_id
            JOIN interactions_eventtype kind ON kind.id = event.event_type_id AND kind.weight > 0
            WHERE shown.source = '{SOURCE}' AND shown.shown_at >= %(since)s AND shown.shown_at <= %(moment)s
              AND event.occurred_at >= %(since)s AND event.occurred_at <= %(moment)s
            GROUP BY shown.item_id
            """,  # noqa: S608 -- a constant of this file
            {"since": moment - timedelta(days=WINDOW_DAYS), "moment": moment},
        )
        return {int(pk): int(times) for pk, times in cursor.fetchall()}


def current() -> Mapping[int, int]:
    """Return item primary key → times shown within WINDOW_DAYS; items never shown are not in it."""
    return _announced.current()


def taken() -> Mapping[int, int]:
    """Return item primary key → of those times, how often an event of a positive weight came of it."""
    return _taken.current()


def forget() -> None:
    """Hold nothing, as a new process does."""
    _announced.forget()
    _taken.forget()
    explored_contexts.forget()


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemDay:
    """What one day's showings by exploration came to."""

    item_pk: int
    title: str
    day: date
    shown: int
    taken: int
    """Showings that an event of a positive weight came of."""


def by_day(most: int) -> list[ItemDay]:
    """Return the days (UTC) of the `most` items that exploration has shown most within WINDOW_DAYS, oldest first.

    One query, which reads the impressions of exploration only.
    """
    now = datetime.fromtimestamp(time.time(), UTC)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH showings AS (
                SELECT shown.item_id, (shown.shown_at AT TIME ZONE 'UTC')::date AS day, EXISTS (
                    SELECT FROM interactions_event event
                    JOIN interactions_eventtype kind ON kind.id = event.event_type_id AND kind.weight > 0
                    WHERE event.request_id = shown.request_id AND event.item_id = shown.item_id
                      AND event.occurred_at >= %(since)s AND event.occurred_at <= %(moment)s
                ) AS taken
                FROM interactions_impression shown
                WHERE shown.source = '{SOURCE}' AND shown.shown_at >= %(since)s AND shown.shown_at <= %(moment)s
            ), most AS (SELECT item_id FROM showings GROUP BY item_id ORDER BY count(*) DESC, item_id LIMIT %(most)s)
            SELECT item.id, item.title, day, count(*), count(*) FILTER (WHERE taken)
            FROM most JOIN showings USING (item_id) JOIN catalog_item item ON item.id = showings.item_id
            GROUP BY item.id, day ORDER BY day, item.id
            """,  # noqa: S608 -- a constant of this file
            {"since": now - timedelta(days=WINDOW_DAYS), "moment": now, "most": most},
        )
        return [
            ItemDay(item_pk=pk, title=title, day=day, shown=shown, taken=taken)
            for pk, title, day, shown, taken in cursor.fetchall()
        ]
