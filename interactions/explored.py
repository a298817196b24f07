"""How often exploration has shown each new item lately: what its budget is counted by.

Counted from the impressions in Postgres by beat (`refresh`), held by every process (`current`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from django.db import connection

from interactions.announced import Announced

SOURCE = "exploration"
"""`source` of the impressions that exploration made."""
WINDOW_DAYS = 14

NAME = "explored"
"""Of the Redis key."""
_announced: Announced[dict[int, int]] = Announced(NAME, dict[int, int], {})


def refresh() -> int:
    """Count anew and tell every process; return the number of items that exploration has shown."""
    counts = as_of(datetime.fromtimestamp(time.time(), UTC))
    _announced.announce(counts)
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


def current() -> Mapping[int, int]:
    """Return item primary key → times shown within WINDOW_DAYS; items never shown are not in it."""
    return _announced.current()


def forget() -> None:
    """Hold nothing, as a new process does."""
    _announced.forget()
