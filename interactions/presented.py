"""How often each title and picture of an item was shown lately, and how often the item was taken under it.

Somebody sees an item under the same one for an hour (`recommender.presenting` draws so), in however many lists: that is
one showing, taken or not. Counted from the impressions in Postgres by beat (`refresh`), held by every
process (`current`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from interactions.announced import Announced
from interactions.explored import WINDOW_DAYS

Counts = Mapping[int, Mapping[int, tuple[int, int]]]
"""Item primary key → key of the presentation (0: its own) → (times shown, times taken)."""

_announced: Announced[dict[int, dict[int, tuple[int, int]]]] = Announced(
    "presented", dict[int, dict[int, tuple[int, int]]], {}
)

_SHOWINGS = """
    SELECT shown.item_id, shown.presentation, bool_or(EXISTS (
        SELECT FROM interactions_event event
        JOIN interactions_eventtype kind ON kind.id = event.event_type_id AND kind.weight > 0
        WHERE event.request_id = shown.request_id AND event.item_id = shown.item_id
          AND event.occurred_at >= %(since)s AND event.occurred_at <= %(moment)s
    )) AS taken
    FROM interactions_impression shown
    WHERE shown.presentation IS NOT NULL AND shown.shown_at >= %(since)s AND shown.shown_at <= %(moment)s
    GROUP BY shown.item_id, shown.presentation, shown.user_id, date_trunc('hour', shown.shown_at AT TIME ZONE 'UTC')
"""


def refresh() -> int:
    """Count anew and tell every process; return the number of items that were shown under several."""
    counts: dict[int, dict[int, tuple[int, int]]] = {}
    for item, presentation, shown, taken in _rows(
        f"SELECT item_id, presentation, count(*), count(*) FILTER (WHERE taken) FROM ({_SHOWINGS}) showings "  # noqa: S608
        "GROUP BY 1, 2 ORDER BY 1, 2"
    ):
        counts.setdefault(int(item), {})[int(presentation)] = int(shown), int(taken)
    _announced.announce(counts)
    return len(counts)


def current() -> Counts:
    """Return what this process holds; an item that was never shown under several is not in it."""
    return _announced.current()


def forget() -> None:
    """Hold nothing, as a new process does."""
    _announced.forget()


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """What one title and picture came to."""

    item_pk: int
    item_title: str
    presentation: int
    """0: the item's own."""
    title: str
    image_url: str
    is_active: bool
    shown: int
    taken: int


def by_item(most: int) -> list[Presented]:
    """Return the presentations of the `most` items that were shown most under several, the most shown item first.

    One query, which reads the impressions of such items only. Presentations that are deleted are left out.
    """
    rows = _rows(
        f"""
        WITH counted AS (
            SELECT item_id, presentation, count(*) AS shown, count(*) FILTER (WHERE taken) AS taken
            FROM ({_SHOWINGS}) showings GROUP BY 1, 2
        ), most AS (
            SELECT item_id, sum(shown) AS shown FROM counted GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %(most)s
        )
        SELECT item.id, item.title, counted.presentation, coalesce(nullif(other.title, ''), item.title),
            coalesce(nullif(other.image_url, ''), item.image_url), coalesce(other.is_active, true),
            counted.shown, counted.taken
        FROM most JOIN counted USING (item_id) JOIN catalog_item item ON item.id = most.item_id
        LEFT JOIN catalog_itempresentation other ON other.id = counted.presentation
        WHERE counted.presentation = 0 OR other.id IS NOT NULL
        ORDER BY most.shown DESC, item.id, counted.presentation
        """,  # noqa: S608 -- a constant of this file
        most=most,
    )
    names = Presented.__slots__
    return [Presented(**dict(zip(names, row, strict=True))) for row in rows]


def _rows(sql: str, **asked: Any) -> list[tuple[Any, ...]]:
    now = datetime.fromtimestamp(time.time(), UTC)
    with connection.cursor() as cursor:
        cursor.execute(sql, {"since": now - timedelta(days=WINDOW_DAYS), "moment": now, **asked})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
