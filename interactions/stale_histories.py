"""Users whose cached history may lack something because Redis could not be told: noted in Postgres, mended later.

The note is written in the transaction that made the history stale, so neither a dead Redis nor a killed process loses
it. `mend` runs from beat every few seconds.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from interactions import feature_store
from interactions.redis_breaker import RedisAway

BATCH = 5000


def note(user_ids: Sequence[str]) -> None:
    """Note that the cached histories of these users must be dropped (one statement; sorted against deadlocks)."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO interactions_stalehistory (user_id, noted_at) SELECT unnest(%s::text[]), clock_timestamp()
            ON CONFLICT (user_id) DO UPDATE SET noted_at = excluded.noted_at
            """,
            [sorted(set(user_ids))],
        )


def mend() -> int:
    """Drop the noted users' cached histories. Returns how many; 0 with Redis away, and the notes stay."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT user_id, noted_at FROM interactions_stalehistory ORDER BY user_id LIMIT %s", [BATCH])
        noted = cursor.fetchall()
        if not noted:
            return 0
        try:
            feature_store.forget([user_id for user_id, _ in noted])
        except RedisAway:
            return 0
        # A note renewed meanwhile has another time and stays.
        cursor.execute(
            """
            DELETE FROM interactions_stalehistory USING unnest(%s::text[], %s::timestamptz[]) AS done (id, moment)
            WHERE user_id = done.id AND noted_at = done.moment
            """,
            [[user_id for user_id, _ in noted], [noted_at for _, noted_at in noted]],
        )
    return len(noted)
