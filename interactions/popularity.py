"""What is taken most: a rolling popularity of every item, and what is trending, over all and by country.

Both are Σ over users of weight · 0.5^(age / half-life), a user counting once an item by his strongest event, so that
nobody lifts an item alone. Ages are counted back from the newest event: a data set of years ago still has an order.
Events older than ten half-lives (a thousandth each) are left out. Dislikes (negative weights) do not count.
"""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from catalog import popularity as catalogue_popularity
from catalog.redis_store import key
from interactions import conf, queries
from interactions.identity import EPOCH
from interactions.redis_breaker import RedisAway, ask

HALF_LIVES = 10
TRENDING_ITEMS = 200
"""Items kept of each country."""
TRENDING_LIFETIME_SECONDS = 86_400
HELD_SECONDS = 30.0
"""A process reads what is trending at most so often."""

_EVERYWHERE = ""

# Parameters: the newest event's moment, half-life in days, the oldest moment that counts.
_BY_USER = """
    SELECT e.user_id, e.item_id,
           max(t.weight * power(0.5, extract(epoch FROM %s::timestamptz - e.occurred_at)::float8 / 86400 / %s))
               AS weight
    FROM interactions_event e JOIN interactions_eventtype t ON t.id = e.event_type_id AND t.weight > 0
    WHERE e.occurred_at >= %s::timestamptz
    GROUP BY e.user_id, e.item_id
"""
_POPULARITY = f"SELECT item_id, sum(weight) AS score FROM ({_BY_USER}) taken GROUP BY item_id"  # noqa: S608
_TRENDING = f"""
    SELECT country, array_agg(item_id ORDER BY rank) FROM (
        SELECT country, item_id, row_number() OVER (PARTITION BY country ORDER BY sum(weight) DESC, item_id) AS rank
        FROM (
            SELECT coalesce(u.country, '') AS country, taken.item_id, taken.weight
            FROM ({_BY_USER}) taken JOIN interactions_userprofile u ON u.id = taken.user_id
            WHERE u.country <> ''
            UNION ALL
            SELECT '' AS country, taken.item_id, taken.weight FROM ({_BY_USER}) taken
        ) located
        GROUP BY country, item_id
    ) ranked
    WHERE rank <= {TRENDING_ITEMS} GROUP BY country
"""  # noqa: S608

Trending = dict[str, NDArray[np.int64]]
_held: tuple[float, Trending] | None = None
_lock = threading.Lock()


def refresh() -> int:
    """Compute both anew; return how many items' popularity changed.

    One at a time: called while another process is at it, it returns 0 at once.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('interactions.popularity'))")
        if not cursor.fetchone()[0]:
            return 0
        changed = catalogue_popularity.store(_POPULARITY, _parameters(conf.popularity_half_life_days()))
    _announce_trending(_trending_from_database())
    return changed


def popular_item_pks(country: str = _EVERYWHERE, limit: int = TRENDING_ITEMS) -> NDArray[np.int64]:
    """Return (n,) int64 primary keys of the trending items, best first, n ≤ min(limit, TRENDING_ITEMS).

    A country in which fewer than `limit` items are taken is filled up with what is trending everywhere.
    """
    trending = _current()
    everywhere = trending.get(_EVERYWHERE, np.empty(0, np.int64))
    if country == _EVERYWHERE or country not in trending:
        return everywhere[:limit]
    there = trending[country]
    return np.concatenate([there, everywhere[~np.isin(everywhere, there)]])[:limit]


def _current() -> Trending:
    global _held
    held = _held
    if held is not None and time.monotonic() < held[0]:
        return held[1]
    with _lock:
        if _held is None or time.monotonic() >= _held[0]:
            _held = (time.monotonic() + HELD_SECONDS, _read())
        return _held[1]


def _read() -> Trending:
    found: dict[Any, Any]
    try:
        found = ask(lambda connected: connected.hgetall(_trending_key()))
    except RedisAway:
        found = {}
    if not found:
        return _trending_from_database()
    return {country.decode(): np.frombuffer(packed, dtype="<i8").astype(np.int64) for country, packed in found.items()}


def _trending_from_database() -> Trending:
    with connection.cursor() as cursor:
        cursor.execute(_TRENDING, _parameters(conf.trending_half_life_days()) * 2)
        return {country: np.array(pks, dtype=np.int64) for country, pks in cursor.fetchall()}


def _parameters(half_life_days: float) -> list[datetime | float]:
    newest = queries.newest_event_at() or EPOCH
    return [newest, half_life_days, newest - timedelta(days=half_life_days * HALF_LIVES)]


def _announce_trending(trending: Trending) -> None:
    def replace(connected: object) -> None:
        pipe = connected.pipeline(transaction=True)  # type: ignore[attr-defined] # redis.Redis
        pipe.delete(_trending_key())
        if trending:
            pipe.hset(_trending_key(), mapping={name: pks.astype("<i8").tobytes() for name, pks in trending.items()})
            pipe.expire(_trending_key(), TRENDING_LIFETIME_SECONDS)
        pipe.execute()

    try:
        ask(replace)
    except RedisAway:
        return


def _trending_key() -> str:
    return key("trending")
