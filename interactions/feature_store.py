"""What Redis holds of a user, and how it stays equal to Postgres.

One hash a user, for as long as somebody reads him:

    g      generation: raised by everything that changes what Postgres would answer
    k      "1" known, "0" known to be unknown; absent: nothing is cached
    a, c   "1" when he consents, and his country
    f      what he says he likes, as `preferences.pack` gives it
    h      his events, packed as HISTORY_RECORD, in order of arrival
    s      primary keys of the items he has seen, packed int64, in order of arrival, possibly repeated
    t      revision of the event types by which `s` was chosen
    i      what he was shown lately, packed as `shown.RECORD`, in order of arrival; absent until somebody asks for it

and one sorted set of marks, `user NUL seconds writer`, all of score 0: the writes begun and not yet finished. On a
cluster each bucket of users (`redis_slots`) has a set of its own.

A writer leaves its marks before its transaction commits. Afterwards it appends what it stored where a history is
cached, raises the generation where there is a hash, and takes its marks away: of a thousand users whom nobody reads
that is two commands. A reader that misses notes the generation (and makes the hash when there is none), reads Postgres
and stores the result only if the generation is unchanged and nobody writes. So neither a rebuild nor an append can lose
an event of the other; and a writer killed between commit and close leaves its mark behind, which makes readers go to
Postgres until a rebuild mends it.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import redis

from catalog import redis_slots, revisions
from catalog.redis_store import Command, round_trip
from catalog.revisions import Revisions
from interactions import feature_scripts
from interactions.redis_breaker import ask

LIFETIME_SECONDS = 30 * 86_400
UNKNOWN_LIFETIME_SECONDS = 600
BARE_LIFETIME_SECONDS = 60
"""How long a generation without anything cached is kept: longer than any rebuild under way takes."""
UNFINISHED_SECONDS = 60
"""A write open for longer has died: web statements and locks time out well before."""
USERS_A_CALL = 1000
"""Lua cannot hand over much more than 2,000 arguments at once, and no other client should wait for long."""
LONGEST_HISTORY_RECORDS = 600
"""Appending beyond this drops the cached history; the next reader takes the newest from Postgres again."""

HISTORY_RECORD = np.dtype([("item", "<i8"), ("at", "<f8"), ("event", "<u8"), ("type", "<i4"), ("value", "<f4")])
LARGEST_VALUE = float(np.finfo(np.float32).max)
_PACK = struct.Struct("<qdQif")
_PACK_ITEM = struct.Struct("<q")
FIELDS = ("g", "k", "a", "c", "f", "h", "s", "t")
SHOWN = "i"


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
    shown: bytes | None = None
    """None: it was not asked for, or is not there."""


_NOBODY = CachedUser(generation=b"", is_known=False)


class StoredEvent(msgspec.Struct, frozen=True, gc=False, kw_only=True):
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
    return redis_slots.user_key(user_id, "user", user_id)


def read(user_id: str, *, with_shown: bool = False) -> tuple[CachedUser, Revisions | None]:
    """Return the cached user and the announced revisions (None when incomplete) in one round trip.

    What he was shown is up to 48 kB: it comes with them only when asked for.

    A user without a hash takes a second one, which notes that somebody is about to rebuild him. Of nobody in
    particular, "", there is nothing to ask.

    Raises
    ------
    RedisAway
    """

    def call(connected: redis.Redis) -> tuple[list[bytes | None], list[bytes | None], int]:
        asked = (
            ("HMGET", user_key(user_id), *FIELDS, *([SHOWN] if with_shown else [])),
            ("HMGET", revisions.hash_key(), *revisions.NAMES),
            # After the hash: who began to write in between is seen.
            ("ZLEXCOUNT", _marks_key(user_id), f"[{user_id}\0", f"({user_id}\1"),
        )
        fields, announced, unfinished = round_trip(connected, asked)
        if fields[0] is None:
            fields[0] = connected.eval(feature_scripts.NOTE, 1, user_key(user_id), BARE_LIFETIME_SECONDS)
        return fields, announced, unfinished

    if not user_id:
        [announced] = ask(lambda connected: round_trip(connected, [("HMGET", revisions.hash_key(), *revisions.NAMES)]))
        return _NOBODY, revisions.from_reply(announced)
    fields, announced, unfinished = ask(call)
    return _cached(fields, is_whole=not unfinished), revisions.from_reply(announced)


def _cached(fields: list[bytes | None], *, is_whole: bool) -> CachedUser:
    generation, known, consent, country, preferences, history, seen, types, *asked = fields
    shown = asked[0] if asked else None
    # Without `f` the hash is of a time before preferences were read.
    if known is None or preferences is None or not is_whole:
        return CachedUser(generation=generation or b"", is_known=None, shown=shown)
    return CachedUser(
        generation=generation or b"",
        is_known=known == b"1",
        consent=consent == b"1",
        country=(country or b"").decode(),
        preferences=preferences,
        history=history or b"",
        seen=seen or b"",
        event_types_revision=int(types or -1),
        shown=shown,
    )


def read_shown(user_id: str) -> tuple[bytes, bytes | None]:
    """Return the user's generation, b"" without a hash, and what he was shown, None where that is not there.

    Raises
    ------
    RedisAway
    """
    asked = [("HMGET", user_key(user_id), "g", SHOWN)]
    [[generation, shown]] = ask(lambda connected: round_trip(connected, asked))
    return generation or b"", shown


def store_shown(user_id: str, generation: bytes, shown: bytes) -> None:
    """Cache what he was shown where nothing is yet, unless something has changed since `generation` was read.

    Raises
    ------
    RedisAway
    """
    ask(lambda connected: connected.eval(feature_scripts.STORE_SHOWN, 1, user_key(user_id), generation, shown))


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
    keys = user_key(user_id), _marks_key(user_id)
    return bool(
        ask(
            lambda connected: connected.eval(
                feature_scripts.STORE, 2, *keys, user.generation, lifetime, UNFINISHED_SECONDS, user_id, *arguments
            )
        )
    )


class OpenWrites(msgspec.Struct, frozen=True):
    """Writes that were begun: what `close_writes` needs to finish them."""

    users: Sequence[str]
    writers: Sequence[bytes]
    """What each call marked its users with, at most USERS_A_CALL of them."""


def open_writes(user_ids: Sequence[str]) -> tuple[OpenWrites, Revisions | None]:
    """Announce that events of these users (distinct) are about to be committed; also return the announced revisions.

    Raises
    ------
    RedisAway
        The caller must then note the users durably (`stale_histories.note`), since their cached histories may stay.
    """
    token = secrets.token_hex(8)

    asked: list[Command] = [("HMGET", revisions.hash_key(), *revisions.NAMES)]
    for part in _parts(user_ids):
        packed = msgspec.msgpack.encode(part)
        asked.append(("EVAL", feature_scripts.OPEN, 1, _marks_key(part[0]), token, packed, LIFETIME_SECONDS))
    announced, *writers = ask(lambda connected: round_trip(connected, asked))
    return OpenWrites(user_ids, writers), revisions.from_reply(announced)


def close_writes(opened: OpenWrites, events: Iterable[StoredEvent], event_types_revision: int) -> None:
    """Finish what `open_writes` began: append what was committed (nothing after a rollback).

    Raises
    ------
    RedisAway
        Nothing is lost: the open write makes readers rebuild from Postgres.
    """
    history: dict[str, bytes] = dict.fromkeys(opened.users, b"")
    seen: dict[str, bytes] = dict.fromkeys(opened.users, b"")
    for event in events:
        history[event.user_id] += event.packed()
        if event.marks_seen:
            seen[event.user_id] += _PACK_ITEM.pack(event.item_pk)
    longest = LONGEST_HISTORY_RECORDS * HISTORY_RECORD.itemsize
    asked: list[Command] = []
    for part, writer in zip(_parts(opened.users), opened.writers, strict=True):
        sizes = [value for user_id in part for value in (user_id, len(history[user_id]), len(seen[user_id]))]
        records = b"".join([history[user_id] for user_id in part]), b"".join([seen[user_id] for user_id in part])
        keys = _marks_key(part[0]), _prefix(part[0])
        packed = msgspec.msgpack.encode(sizes)
        asked.append(("EVAL", feature_scripts.CLOSE, 1, *keys, writer, packed, *records, event_types_revision, longest))
    ask(lambda connected: round_trip(connected, asked))


def forget(user_ids: Iterable[str]) -> None:
    """Drop what is cached of these users; also refuses the result of a rebuild under way.

    Raises
    ------
    RedisAway
        With a node of a cluster away, the users on other nodes are forgotten all the same.
    """
    asked = [
        (
            "EVAL",
            feature_scripts.FORGET,
            1,
            _marks_key(part[0]),
            _prefix(part[0]),
            msgspec.msgpack.encode(part),
            BARE_LIFETIME_SECONDS,
        )
        for part in _parts(user_ids)
    ]
    if asked:
        ask(lambda connected: round_trip(connected, asked))


def _parts(user_ids: Iterable[str]) -> Iterator[Sequence[str]]:
    """Yield users of one bucket each, at most USERS_A_CALL, always the same of the same users."""
    for users in redis_slots.by_bucket(user_ids):
        yield from (users[start : start + USERS_A_CALL] for start in range(0, len(users), USERS_A_CALL))


def _prefix(user_id: str) -> str:
    """Return what the keys of all hashes of this user's bucket begin with."""
    return redis_slots.user_key(user_id, "user", "")


def _marks_key(user_id: str) -> str:
    return redis_slots.user_key(user_id, "writing")
