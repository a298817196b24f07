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

_announced: Announced[dict[int, int]] = Announced("explored", dict[int, int], {})


def refresh() -> int:
    """Count anew and tell every process; return the number of items that exploration has shown."""
    since = datetime.fromtimestamp(time.time(), UTC) - timedelta(days=WINDOW_DAYS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT item_id, count(*) FROM interactions_impression "  # noqa: S608 -- a constant of this file
            f"WHERE source = '{SOURCE}' AND shown_at >= %s GROUP BY item_id",
            [since],
        )
        counts = {int(pk): int(shown) for pk, shown in cursor.fetchall()}
    _announced.announce(counts)
    return len(counts)


def current() -> Mapping[int, int]:
    """Return item primary key → times shown within WINDOW_DAYS; items never shown are not in it."""
    return _announced.current()


def forget() -> None:
    """Hold nothing, as a new process does."""
    _announced.forget()
