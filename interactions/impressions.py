"""What was shown: noted in a Redis Stream a moment after the answer, written to Postgres in batches a little later.

`record` is for requests and never keeps one waiting (`impression_sender`); `write_pending` is for the worker. A list
reaches Postgres exactly once: the stream keeps an entry until its rows are committed, and rows that are there already
are left alone.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import redis
from django.conf import settings
from django.db import DataError, IntegrityError, connection, transaction
from django.db import Error as DatabaseError

from catalog import redis_slots
from catalog.redis_address import is_cluster
from catalog.redis_store import Command, key, round_trip
from interactions import dead_letters, impression_rows, shown
from interactions.contracts import ServedList
from interactions.feature_store import user_key
from interactions.impression_sender import Sender
from interactions.metrics import impressions_dropped, impressions_refused
from interactions.redis_breaker import RedisAway, ask

logger = logging.getLogger(__name__)

LONGEST_STREAM = 1_000_000
"""Lists, about 1 GB: ten minutes without a worker at 1,500 requests a second; older ones are dropped."""
DIRECT_TIMEOUT_MS = 200
CLAIM_IDLE_MS = 60_000
"""An entry that a consumer has held for longer belongs to a dead one: a batch is written within seconds."""
GROUP = "writers"
FIELD = "list"

# One command for all of them: the thread that sends takes its time from those that answer. What somebody asks for, how
# often users were shown what (`shown`), is appended to here; on a cluster that lies elsewhere than the stream, so one
# call has lists without users and others have users without lists.
_ADD = """
local most = tonumber(ARGV[3])
for i = 4, #ARGV, 3 do
  if ARGV[i] ~= '' then redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', ARGV[2], ARGV[i]) end
  local held = ARGV[i + 1] ~= '' and redis.call('HGET', ARGV[i + 1], 'i')
  if held then
    if #held > 2 * most then held = string.sub(held, -most) end
    redis.call('HSET', ARGV[i + 1], 'i', held .. ARGV[i + 2])
  end
end
"""

Alongside = Callable[[Sequence[ServedList]], object]
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(ServedList)


def stream_key() -> str:
    """Return the stream's Redis key."""
    return key("impressions")


def waiting() -> int:
    """Return how many entries the stream has. Raises `RedisAway`."""
    return ask(lambda connected: int(connected.xlen(stream_key())))


def record(served: Sequence[ServedList], alongside: Alongside | None = None) -> None:
    """Note what was shown, to be sent on a moment later.

    Never raises for a failing service: with Redis away the rows go straight to Postgres within DIRECT_TIMEOUT_MS (with
    `alongside`, as in `write_pending`), and with that failing too they are counted as dropped.
    """
    # An empty list is noted where an experiment shows one on purpose: its user has been exposed to that.
    together = tuple(one for one in served if one.items or one.experiment_id)
    if together and not sender.put((together, alongside)):
        _dropped(together, "too many wait already")


def _send(notes: Sequence[tuple[Sequence[ServedList], Alongside | None]]) -> None:
    lists = [one for together, _ in notes for one in together]
    clustered = is_cluster(settings.REDIS_URL)
    parts: list[str | bytes] = []
    for one in lists:
        parts += (_encoder.encode(one), *(("", "") if clustered else (user_key(one.user_id), shown.pack(one))))
    try:
        ask(lambda connected: round_trip(connected, [_adding(stream_key(), parts)]))
    except RedisAway:
        for together, alongside in notes:
            _write_directly(together, alongside)
    else:
        if clustered:
            _append_shown(lists)


def _adding(name: str, parts: Sequence[str | bytes]) -> Command:
    return "EVAL", _ADD, 1, name, LONGEST_STREAM, FIELD, shown.MOST * shown.RECORD.itemsize, *parts


def _append_shown(lists: Sequence[ServedList]) -> None:
    """Append to what users of a cluster were shown, one call a bucket."""
    parts: dict[str, list[str | bytes]] = {}
    for one in lists:
        if one.user_id:
            bucket = redis_slots.user_key(one.user_id, "user", "")
            parts.setdefault(bucket, []).extend(("", user_key(one.user_id), shown.pack(one)))
    asked = [_adding(bucket, theirs) for bucket, theirs in parts.items()]
    try:
        ask(lambda connected: round_trip(connected, asked))
    except RedisAway as error:
        logger.info("what %d lists showed is not counted in Redis: %s", len(lists), error)


sender = Sender(_send)
"""This process's."""


def _write_directly(served: Sequence[ServedList], alongside: Alongside | None) -> None:
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(
                    f"SET LOCAL statement_timeout = {DIRECT_TIMEOUT_MS}; SET LOCAL lock_timeout = {DIRECT_TIMEOUT_MS}"
                )
            impression_rows.insert(served)
            if alongside is not None:
                alongside(served)
    except DatabaseError as error:
        _dropped(served, str(error))


def _dropped(served: Sequence[ServedList], why: str) -> None:
    dropped = sum(len(one.items) for one in served)
    impressions_dropped.inc(dropped)
    logger.warning("%d impressions dropped: %s", dropped, why)


def write_pending(alongside: Alongside | None = None, limit: int = 10_000) -> int:
    """Write noted lists to Postgres; return the number of rows that are new.

    Parameters
    ----------
    alongside
        Called with the lists inside the transaction that writes them, before its commit; also for lists whose rows turn
        out to be there already, so it must be safe to repeat. What it raises rolls the batch back.
    limit
        Lists at most.

    Raises
    ------
    django.db.Error
        Postgres failed; the stream keeps everything.
    """
    with transaction.atomic():
        # Held until the commit: erasing a user waits for it, so that no list read before is written afterwards.
        lock_out_erasure()
        try:
            entries = _take(limit)
        except RedisAway:
            return 0
        lists, poison = _decoded(entries)
        stored = _store(lists, alongside, poison)
        for payload, reason in poison:
            impressions_refused.inc()
            dead_letters.keep("impression_invalid", reason, payload, source="impressions")
        ids = [entry_id for entry_id, _ in entries]
        transaction.on_commit(lambda: _acknowledge(ids))
    return stored


def lock_out_erasure() -> None:
    """Take the writers' shared advisory lock for the rest of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(hashtext('interactions.impressions'))")


def forget(user_id: str) -> int:
    """Remove a user's lists from the stream; inside a transaction, which keeps writers out. Returns how many.

    Raises
    ------
    RedisAway
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('interactions.impressions'))")
    removed = 0
    start = "-"
    while entries := ask(lambda connected, start=start: connected.xrange(stream_key(), start, "+", 1000)):  # type: ignore[misc]
        lists = [(entry_id, _decode(fields)) for entry_id, fields in entries]
        theirs = [entry_id for entry_id, one in lists if isinstance(one, ServedList) and one.user_id == user_id]
        if theirs:
            removed += int(ask(lambda connected, ids=theirs: connected.xdel(stream_key(), *ids)))  # type: ignore[misc]
        start = f"({entries[-1][0].decode()}"
    return removed


Entry = tuple[bytes, dict[bytes, bytes]]


def _take(limit: int) -> list[Entry]:
    """Return entries of dead consumers first, then new ones; they stay in the stream until acknowledged."""
    consumer = f"{socket.gethostname()}:{os.getpid()}"

    def claim(connected: redis.Redis) -> Any:
        return connected.xautoclaim(stream_key(), GROUP, consumer, CLAIM_IDLE_MS, "0-0", count=limit)

    def take(connected: redis.Redis) -> list[Entry]:
        try:
            claimed = claim(connected)
        except redis.ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
            # Not each time: a full Redis refuses it, and taking entries out is what it needs then.
            connected.xgroup_create(stream_key(), GROUP, id="0", mkstream=True)
            claimed = claim(connected)
        entries: list[Entry] = list(claimed[1])
        if len(entries) < limit:
            fresh = connected.xreadgroup(GROUP, consumer, {stream_key(): ">"}, count=limit - len(entries))
            entries += [entry for _, found in _streams(fresh) for entry in found]
        return entries

    return ask(take)


def _streams(reply: object) -> list[tuple[bytes, list[Entry]]]:
    """Return the reply of XREADGROUP as pairs: RESP3 gives a mapping of lists, RESP2 a list."""
    if isinstance(reply, dict):
        return [(name, [entry for batch in batches for entry in batch]) for name, batches in reply.items()]
    return list(reply) if isinstance(reply, list) else []


def _decode(fields: dict[bytes, bytes] | None) -> ServedList | str:
    """Return the list of an entry, or what is wrong with it."""
    try:
        return _decoder.decode((fields or {})[FIELD.encode()])
    except KeyError:
        return f"the entry has no field {FIELD!r}"
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return str(error)


Poison = list[tuple[str, str]]


def _decoded(entries: Sequence[Entry]) -> tuple[list[ServedList], Poison]:
    lists, poison = [], []
    for _, fields in entries:
        one = _decode(fields)
        if isinstance(one, ServedList):
            lists.append(one)
        else:
            payload = (fields or {}).get(FIELD.encode(), b"").decode("utf-8", "backslashreplace")
            poison.append((payload, one))
    return lists, poison


def _store(lists: Sequence[ServedList], alongside: Alongside | None, poison: Poison) -> int:
    """Write the lists; halve a batch that Postgres refuses until the lists it refuses stand alone."""
    if not lists:
        return 0
    try:
        with transaction.atomic():
            stored = impression_rows.copy(lists)
            if alongside is not None:
                alongside(lists)
            return stored
    except (DataError, IntegrityError) as error:
        if len(lists) == 1:
            poison.append((_encoder.encode(lists[0]).decode(), str(error)))
            return 0
    middle = len(lists) // 2
    return _store(lists[:middle], alongside, poison) + _store(lists[middle:], alongside, poison)


def _acknowledge(ids: Sequence[bytes]) -> None:
    if not ids:
        return
    asked: list[Command] = [("XACK", stream_key(), GROUP, *ids), ("XDEL", stream_key(), *ids)]
    try:
        ask(lambda connected: round_trip(connected, asked))
    except RedisAway:
        logger.info("%d lists stay in the stream and are found written when they come again", len(ids))
