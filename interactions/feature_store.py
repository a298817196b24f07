"""What Redis holds of a user, and how it stays equal to Postgres.

One hash a user:

    g      generation: raised by everything that changes what Postgres would answer
    p, pa  writes begun and not yet finished, and when the last one began (POSIX seconds, Redis' clock)
    k      "1" known, "0" known to be unknown; absent: nothing is cached
    a, c   "1" when he consents, and his country
    f      what he says he likes, as `preferences.pack` gives it
    h      his events, packed as HISTORY_RECORD, in order of arrival
    s      primary keys of the items he has seen, packed int64, in order of arrival, possibly repeated
    t      revision of the event types by which `s` was chosen

A writer opens its write before its transaction commits and closes it afterwards with what it stored, which is
appended only where a history is cached. A reader that misses notes the generation, reads Postgres and stores the result
only if the generation is unchanged. So neither a rebuild nor an append can lose an event of the other; and a writer
killed between commit and close leaves `p` behind, which makes readers go to Postgres until a rebuild mends it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import redis

from catalog import revisions
from catalog.redis_store import key
from catalog.revisions import Revisions
from interactions.redis_breaker import ask

LIFETIME_SECONDS = 30 * 86_400
UNKNOWN_LIFETIME_SECONDS = 600
FORGOTTEN_LIFETIME_SECONDS = 60
"""How long the bare generation outlives a forgotten user: longer than any rebuild under way takes."""
UNFINISHED_SECONDS = 60
"""A write open for longer has died: web statements and locks time out well before."""
LONGEST_HISTORY_RECORDS = 600
"""Appending beyond this drops the cached history; the next reader takes the newest from Postgres again."""

HISTORY_RECORD = np.dtype([("item", "<i8"), ("at", "<f8"), ("event", "<u8"), ("type", "<i4"), ("value", "<f4")])
LARGEST_VALUE = float(np.finfo(np.float32).max)
_PACK = struct.Struct("<qdQif")
_PACK_ITEM = struct.Struct("<q")
FIELDS = ("g", "p", "k", "a", "c", "f", "h", "s", "t")
_FEATURES = "'k', 'a', 'c', 'f', 'h', 's', 't'"

_OPEN = """
local now = redis.call('TIME')[1]
for _, user in ipairs(KEYS) do
  redis.call('HINCRBY', user, 'g', 1)
  redis.call('HINCRBY', user, 'p', 1)
  redis.call('HSET', user, 'pa', now)
  redis.call('EXPIRE', user, ARGV[1])
end
"""

_CLOSE = f"""
local limit, types = tonumber(ARGV[2]), ARGV[3]
for i, user in ipairs(KEYS) do
  local events, seen = ARGV[2 + 2 * i], ARGV[3 + 2 * i]
  local held = redis.call('HMGET', user, 'k', 't', 'p')
  if held[1] and #events > 0 then
    local history = held[1] == '1' and held[2] == types and redis.call('HGET', user, 'h') .. events
    if history and #history <= limit then
      redis.call('HSET', user, 'h', history)
      if #seen > 0 then redis.call('HSET', user, 's', redis.call('HGET', user, 's') .. seen) end
    else
      redis.call('HDEL', user, {_FEATURES})
    end
  end
  redis.call('HINCRBY', user, 'g', 1)
  if tonumber(held[3] or 0) > 1 then redis.call('HINCRBY', user, 'p', -1) else redis.call('HDEL', user, 'p', 'pa') end
  redis.call('EXPIRE', user, ARGV[1])
end
"""

_STORE = f"""
local user = KEYS[1]
local held = redis.call('HMGET', user, 'g', 'p', 'pa')
if (held[1] or '') ~= ARGV[1] then return 0 end
if held[2] and tonumber(redis.call('TIME')[1]) - tonumber(held[3]) < tonumber(ARGV[3]) then return 0 end
redis.call('HDEL', user, 'p', 'pa', {_FEATURES})
redis.call('HSET', user, unpack(ARGV, 4))
redis.call('EXPIRE', user, ARGV[2])
return 1
"""

_FORGET = f"""
for _, user in ipairs(KEYS) do
  redis.call('HDEL', user, {_FEATURES})
  redis.call('HINCRBY', user, 'g', 1)
  redis.call('EXPIRE', user, ARGV[1])
end
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedUser:
    """A user's hash as read. Bytes as Redis holds them; see the module's list of fields."""

    generation: bytes
    is_known: bool | None
    """None: nothing is cached, or it may lack an event; rebuild."""
    consent: bool = True
    country: str = ""
    preferences: bytes = b""
    history: bytes = b""
    seen: bytes = b""
    event_types_revision: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """One event as the history keeps it."""

    user_id: str
    item_pk: int
    type_id: int
    occurred_at: float
    """POSIX seconds."""
    value: float
    """nan = none."""
    event_bits: int
    """The low 64 bits of the event's id: tells a repeated append, and orders events of the same instant."""
    marks_seen: bool

    def packed(self) -> bytes:
        """Return one HISTORY_RECORD; a value beyond float32 becomes the largest one."""
        value = min(max(self.value, -LARGEST_VALUE), LARGEST_VALUE) if self.value == self.value else self.value
        return _PACK.pack(self.item_pk, self.occurred_at, self.event_bits, self.type_id, value)


def user_key(user_id: str) -> str:
    """Return the Redis key of a user's hash."""
    return key("user", user_id)


def read(user_id: str) -> tuple[CachedUser, Revisions | None]:
    """Return the cached user and the announced revisions (None when incomplete) in one round trip.

    Raises
    ------
    RedisAway
    """

    def call(redis_client: redis.Redis) -> list[list[bytes | None]]:
        pipe = redis_client.pipeline(transaction=False)
        pipe.hmget(user_key(user_id), FIELDS)
        pipe.hmget(revisions.hash_key(), revisions.NAMES)
        reply: list[list[bytes | None]] = pipe.execute()
        return reply

    fields, announced = ask(call)
    return _cached(fields), revisions.from_reply(announced)


def _cached(fields: list[bytes | None]) -> CachedUser:
    generation, unfinished, known, consent, country, preferences, history, seen, types = fields
    # Without `f` the hash is of a time before preferences were read.
    if known is None or preferences is None or unfinished is not None:
        return CachedUser(generation=generation or b"", is_known=None)
    return CachedUser(
        generation=generation or b"",
        is_known=known == b"1",
        consent=consent == b"1",
        country=(country or b"").decode(),
        preferences=preferences,
        history=history or b"",
        seen=seen or b"",
        event_types_revision=int(types or -1),
    )


def store(user_id: str, user: CachedUser) -> bool:
    """Cache what a rebuild read from Postgres; False when something changed since `user.generation` was read.

    Raises
    ------
    RedisAway
    """
    lifetime = LIFETIME_SECONDS if user.is_known else UNKNOWN_LIFETIME_SECONDS
    values: dict[str, str | bytes | int] = {
        "k": "1" if user.is_known else "0",
        "a": "1" if user.consent else "0",
        "c": user.country,
        "f": user.preferences,
        "h": user.history,
        "s": user.seen,
        "t": user.event_types_revision,
    }
    arguments = [part for pair in values.items() for part in pair]
    return bool(_evaluate(_STORE, [user_id], user.generation, lifetime, UNFINISHED_SECONDS, *arguments))


def open_writes(user_ids: Sequence[str]) -> Revisions | None:
    """Announce that events of these users are about to be committed. Returns the announced revisions, if complete.

    Raises
    ------
    RedisAway
        The caller must then note the users durably (`stale_histories.note`), since their cached histories may stay.
    """

    def call(redis_client: redis.Redis) -> list[list[bytes | None]]:
        pipe = redis_client.pipeline(transaction=False)
        pipe.hmget(revisions.hash_key(), revisions.NAMES)
        pipe.eval(_OPEN, len(user_ids), *map(user_key, user_ids), LIFETIME_SECONDS)
        reply: list[list[bytes | None]] = pipe.execute()
        return reply

    return revisions.from_reply(ask(call)[0])


def close_writes(user_ids: Sequence[str], events: Iterable[StoredEvent], event_types_revision: int) -> None:
    """Finish what `open_writes` began for the same users: append what was committed (nothing after a rollback).

    Raises
    ------
    RedisAway
        Nothing is lost: the open write makes readers rebuild from Postgres.
    """
    history: dict[str, bytes] = dict.fromkeys(user_ids, b"")
    seen: dict[str, bytes] = dict.fromkeys(user_ids, b"")
    for event in events:
        history[event.user_id] += event.packed()
        if event.marks_seen:
            seen[event.user_id] += _PACK_ITEM.pack(event.item_pk)
    longest = LONGEST_HISTORY_RECORDS * HISTORY_RECORD.itemsize
    arguments = [part for user_id in user_ids for part in (history[user_id], seen[user_id])]
    _evaluate(_CLOSE, user_ids, LIFETIME_SECONDS, longest, event_types_revision, *arguments)


def forget(user_ids: Iterable[str], *, chunk: int = 1000) -> None:
    """Drop what is cached of these users; also refuses the result of a rebuild under way.

    Raises
    ------
    RedisAway
    """
    waiting = list(user_ids)
    for start in range(0, len(waiting), chunk):
        _evaluate(_FORGET, waiting[start : start + chunk], FORGOTTEN_LIFETIME_SECONDS)


def _evaluate(script: str, user_ids: Sequence[str], *arguments: str | bytes | int) -> object:
    return ask(lambda connected: connected.eval(script, len(user_ids), *map(user_key, user_ids), *arguments))
