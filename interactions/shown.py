"""What a user has been shown lately, and when: what rules against fatigue count.

It stands in field `i` of his hash (`feature_store`) where somebody has asked for it: there the command that notes
impressions appends to it (`impressions`), and what drops the hash because it is no longer his drops it too. Who asks
and finds none fills it from Postgres. Lists that are on their way to Postgres at that moment are not counted, some
seconds' worth once; nor is what was shown before the newest MOST.
"""

from __future__ import annotations

import logging
import struct
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import numpy as np
from django.db import Error as DatabaseError
from django.db import connection
from numpy.typing import NDArray

from interactions import feature_store
from interactions.contracts import ServedList
from interactions.feature_store import CachedUser
from interactions.redis_breaker import RedisAway

logger = logging.getLogger(__name__)

MOST = 2000
"""Items shown that are kept of a user, the newest: 24 kB."""
LONGEST_DAYS = 30
"""Nothing older is read from Postgres."""

RECORD = np.dtype([("item", "<i8"), ("at", "<u4")])
"""Primary key, and whole POSIX seconds."""
_PACK = struct.Struct("<qI")
Records = NDArray[np.void]


def of(user_id: str, stored: CachedUser) -> Records:
    """Return (n,) RECORDs, n ≤ MOST, in no particular order.

    Empty without consent, for nobody in particular, and where neither Redis nor Postgres can say.

    Parameters
    ----------
    stored
        What Redis holds of the user; where this was not asked for, it is now.
    """
    if not user_id or not stored.consent:
        return unpack(b"")
    return unpack(stored.shown if stored.shown is not None else _fetched(user_id))


def pack(served: ServedList) -> bytes:
    """Return the RECORDs of a list that was shown."""
    at = int(served.shown_at)
    return b"".join([_PACK.pack(item.item_pk, at) for item in served.items])


def unpack(packed: bytes) -> Records:
    """Return the newest MOST of the RECORDs in the order in which they came."""
    return np.frombuffer(packed, dtype=RECORD)[-MOST:]


def from_database(user_id: str, moment: datetime | None = None) -> bytes:
    """Return what Postgres has, as `pack` gives it, oldest first: what was shown by `moment`, without one by now."""
    until = moment or datetime.fromtimestamp(time.time(), UTC)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT item_id, floor(extract(epoch FROM shown_at))::bigint FROM interactions_impression "
            "WHERE user_id = %s AND shown_at >= %s AND shown_at <= %s ORDER BY shown_at DESC LIMIT %s",
            [user_id, until - timedelta(days=LONGEST_DAYS), until, MOST],
        )
        return np.array(cursor.fetchall()[::-1], dtype=RECORD).tobytes()


def _fetched(user_id: str) -> bytes:
    try:
        generation, packed = feature_store.read_shown(user_id)
    except RedisAway:
        generation, packed = b"", None
    if packed is not None:
        return packed
    try:
        packed = from_database(user_id)
    except DatabaseError as error:
        logger.warning("what %s was shown cannot be read: nothing is held against it: %s", user_id, error)
        return b""
    if generation:
        with suppress(RedisAway):
            feature_store.store_shown(user_id, generation, packed)
    return packed
