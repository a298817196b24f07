"""Fill Redis again from Postgres: by command, and by itself when Redis has lost or forgotten something.

A mark in Redis names the run of the server that was filled last, of a cluster the runs of all its primaries. A server
that was emptied has no mark; one that was started again, or a replica that took over, is another run. Either may lack
the newest writes, so what it holds of users is dropped before it is filled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import redis
from django.db import connection

from catalog import redis_slots, revisions
from catalog.redis_store import key, servers
from interactions import explored, feature_store, features, popularity
from interactions.redis_breaker import RedisAway, ask

Progress = Callable[[str, int, int], None]

MOST_AFTER_A_LOSS = 100_000
"""Users filled in without being asked to, the last active ones: about 1 GB at most. Others come with their visit."""
BATCH = 500
FILLING_SECONDS = 600
"""How long one who fills may take before another begins."""

_BY_ACTIVITY = """
    SELECT u.user_id FROM interactions_userprofile u
    LEFT JOIN (SELECT user_id, max(occurred_at) AS last_at FROM interactions_event GROUP BY user_id) active
        ON active.user_id = u.id
    ORDER BY active.last_at DESC NULLS LAST, u.id LIMIT %s
"""


def rebuild(progress: Progress = lambda step, done, total: None, *, most: int | None = None) -> int:
    """Fill in users (those active last first, `most` of them), what is popular and what was explored, and set the mark.

    Returns how many users were stored; those that this run of Redis holds already are left as they are, so it can be
    repeated, and stopped at any time. Memory does not grow with the users.

    Raises
    ------
    RedisAway
        What was filled in stays; the mark is not set.
    """
    run = _server_run()
    if _mark() != run:
        _drop_users()
    revisions.announce_all()
    popularity.refresh()
    explored.refresh()
    stored = done = 0
    for user_ids in _users_by_activity(most):
        stored += features.refill(user_ids)
        done += len(user_ids)
        progress("users", done, 0)
    ask(lambda connected: connected.set(_mark_key(), run))
    return stored


def rebuild_user(user_id: str) -> None:
    """Drop what Redis holds of one user, whatever it is, and fill it in.

    Raises
    ------
    RedisAway
    """
    feature_store.forget([user_id])
    features.refill([user_id])


def rebuild_after_a_loss() -> int:
    """Fill Redis when it is not the run that was filled last. Returns how many users were stored.

    Several at once do it once. With Redis away it returns 0: the next call finds it back.
    """
    try:
        if is_filled() or not ask(lambda connected: connected.set(_filling_key(), 1, nx=True, ex=FILLING_SECONDS)):
            return 0
        try:
            return rebuild(most=MOST_AFTER_A_LOSS)
        finally:
            ask(lambda connected: connected.delete(_filling_key()))
    except RedisAway:
        return 0


def is_filled() -> bool:
    """Tell whether this run of the Redis server, or of each primary of a cluster, has been filled.

    Raises
    ------
    RedisAway
    """
    return _mark() == _server_run()


def cached_users() -> Iterator[list[str]]:
    """Yield the ids of users of whom Redis holds something, in parts; one may come twice.

    Raises
    ------
    RedisAway
    """
    pattern = f"{_escaped(key('user', ''))}*"
    for server in ask(servers):
        cursor = -1
        while cursor:
            cursor, found = ask(
                lambda _, server=server, cursor=cursor: server.scan(max(cursor, 0), match=pattern, count=1000)  # type: ignore[misc]
            )
            yield [redis_slots.user_id_in("user", name.decode()) for name in found]


def _drop_users() -> None:
    for user_ids in cached_users():
        feature_store.forget(user_ids)


def _users_by_activity(most: int | None) -> Iterator[Sequence[str]]:
    """Yield the users in parts, in the order of now, from a cursor that Postgres holds without a transaction."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(_BY_ACTIVITY, [most])
        while rows := cursor.fetchmany(BATCH):
            yield [user_id for (user_id,) in rows]


def _server_run() -> bytes:
    def runs(connected: redis.Redis) -> list[Any]:
        return [server.info("server")["run_id"] for server in servers(connected)]

    return " ".join(sorted(map(str, ask(runs)))).encode()


def _mark() -> object:
    return ask(lambda connected: connected.get(_mark_key()))


def _mark_key() -> str:
    return key("features_filled")


def _filling_key() -> str:
    return key("features_filling")


def _escaped(text: str) -> str:
    """Return a pattern of Redis' that matches just this text."""
    return "".join(f"\\{letter}" if letter in "*?[]\\^-" else letter for letter in text)
