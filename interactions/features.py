"""What serving knows about a user: his recent history, what he has seen and what he says he likes, nothing else.

`load` answers from Redis in one round trip (`feature_store`) and from Postgres when Redis does not have the user or is
away. Both give the same arrays. Everything personal is computed from them at request time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from django.db import connection
from numpy.typing import NDArray

from catalog import revisions
from catalog.revisions import Revisions
from interactions import event_types, feature_store, preferences, stale_histories
from interactions.event_types import EventTypes
from interactions.feature_store import HISTORY_RECORD, LARGEST_VALUE, CachedUser
from interactions.preferences import Preferences
from interactions.redis_breaker import RedisAway

HISTORY_LENGTH = 1000
"""Events. A taste model gains nothing from more (recency weights), and a request reads them all."""

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFeatures:
    """One user at one moment. A user without consent has an empty history."""

    user_id: str
    known: bool
    """False for a user nobody has ever heard of."""
    country: str
    consent: bool
    preferences: Preferences
    """What he says he likes; empty without consent."""
    item_pks: IntArray
    """(n,) int64, newest first, at most HISTORY_LENGTH; an item as often as there are events with it."""
    type_ids: IntArray
    """(n,) int64 primary keys of the events' types."""
    occurred_at: FloatArray
    """(n,) float64 POSIX seconds, descending."""
    values: NDArray[np.float32]
    """(n,) float32, nan = none."""
    seen_pks: IntArray
    """(m,) int64, ascending, unique: items not to recommend again."""
    stamp: tuple[object, ...] | None = None
    """Differs as soon as anything else here does; None where that cannot be told (not from Redis, a write is open)."""


def load(user_id: str) -> tuple[UserFeatures, Revisions]:
    """Return the user's features and the revisions of everything that steers serving.

    One Redis round trip and no query when the user is cached.

    Raises
    ------
    django.db.Error
        When Postgres is needed and away.
    """
    try:
        cached, announced = feature_store.read(user_id)
    except RedisAway:
        current = revisions.from_database()
        types = event_types.current(current[revisions.EVENT_TYPES])
        return _decode(user_id, _from_database(user_id, types)), current
    current = announced if announced is not None else revisions.announce_all()
    types_revision = current[revisions.EVENT_TYPES]
    stamp: tuple[object, ...] | None = _stamp(cached)
    if cached.is_known is None or (cached.is_known and cached.event_types_revision != types_revision):
        fresh = replace(_from_database(user_id, event_types.current(types_revision)), generation=cached.generation)
        _store(user_id, fresh)
        # Read while another may be writing: the generation does not say which of the two came first.
        cached, stamp = fresh, None
    return _decode(user_id, cached, stamp), current


def from_database(user_id: str) -> UserFeatures:
    """Return the user's features as Postgres has them now, past every cache (four queries)."""
    types = event_types.load(revisions.from_database()[revisions.EVENT_TYPES])
    return _decode(user_id, _from_database(user_id, types))


def forget(user_ids: Iterable[str]) -> None:
    """Drop what is cached of these users, for writers that change events past `recording` (imports, merges).

    Call it after the commit. With Redis away the users are noted in Postgres and dropped by the next
    `stale_histories.mend`.
    """
    waiting = sorted(set(user_ids))
    try:
        feature_store.forget(waiting)
    except RedisAway:
        stale_histories.note(waiting)


def _store(user_id: str, user: CachedUser) -> None:
    try:
        feature_store.store(user_id, user)
    except RedisAway:
        return


def _from_database(user_id: str, types: EventTypes) -> CachedUser:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, country, consent = 'granted', preferences FROM interactions_userprofile WHERE user_id = %s",
            [user_id],
        )
        profile = cursor.fetchone()
        if profile is None:
            return CachedUser(generation=b"", is_known=False, event_types_revision=types.revision)
        user_pk, country, consent, told = profile
        history, seen = np.empty(0, HISTORY_RECORD), np.empty(0, np.int64)
        if consent:
            history = _newest_events(cursor, user_pk)
            seen = _seen_items(cursor, user_pk, types)
    return CachedUser(
        generation=b"",
        is_known=True,
        consent=consent,
        country=country,
        preferences=preferences.pack(preferences.of(msgspec.json.decode(told))) if consent else b"",
        history=history.tobytes(),
        seen=seen.tobytes(),
        event_types_revision=types.revision,
    )


def _newest_events(cursor: object, user_pk: int) -> NDArray[np.void]:
    cursor.execute(  # type: ignore[attr-defined] # Django's cursor wrapper
        """
        SELECT item_id, extract(epoch FROM occurred_at)::float8, event_id, event_type_id,
               CASE WHEN value IS NULL THEN 'nan' ELSE least(greatest(value, -%s::float8), %s::float8) END
        FROM interactions_event WHERE user_id = %s ORDER BY occurred_at DESC, event_id DESC LIMIT %s
        """,
        [LARGEST_VALUE, LARGEST_VALUE, user_pk, HISTORY_LENGTH],
    )
    rows = cursor.fetchall()  # type: ignore[attr-defined]
    low_bits = 2**64 - 1
    return np.array(
        [(item, at, event.int & low_bits, kind, value) for item, at, event, kind, value in rows], HISTORY_RECORD
    )


def _seen_items(cursor: object, user_pk: int, types: EventTypes) -> IntArray:
    cursor.execute(  # type: ignore[attr-defined] # Django's cursor wrapper
        "SELECT DISTINCT item_id FROM interactions_event WHERE user_id = %s AND event_type_id = ANY(%s)",
        [user_pk, sorted(types.marks_seen)],
    )
    return np.array([row[0] for row in cursor.fetchall()], dtype=np.int64)  # type: ignore[attr-defined]


def _stamp(user: CachedUser) -> tuple[object, ...]:
    """Return what changes with every change of the user: the generation, and, should Redis have lost count, his newest
    events."""
    newest = user.history[-HISTORY_RECORD.itemsize :]
    sizes = len(user.history), len(user.seen), user.seen[-8:]
    return user.generation, user.is_known, user.consent, user.country, user.preferences, newest, *sizes


def _decode(user_id: str, user: CachedUser, stamp: tuple[object, ...] | None = None) -> UserFeatures:
    events = newest_first(np.frombuffer(user.history, dtype=HISTORY_RECORD))
    return UserFeatures(
        user_id=user_id,
        known=bool(user.is_known),
        country=user.country,
        consent=user.consent,
        preferences=preferences.unpack(user.preferences),
        item_pks=events["item"].astype(np.int64),
        type_ids=events["type"].astype(np.int64),
        occurred_at=events["at"].astype(np.float64),
        values=events["value"].astype(np.float32),
        seen_pks=np.unique(np.frombuffer(user.seen, dtype="<i8")).astype(np.int64, copy=False),
        stamp=stamp,
    )


def newest_first(events: NDArray[np.void]) -> NDArray[np.void]:
    """Return HISTORY_RECORDs in descending time (then event id), each event once, at most HISTORY_LENGTH."""
    if len(events) > 1 and not np.all(events["at"][:-1] > events["at"][1:]):
        events = events[np.lexsort((events["event"], events["at"]))[::-1]]
        repeated = np.zeros(len(events), dtype=bool)
        repeated[1:] = (events["event"][1:] == events["event"][:-1]) & (events["at"][1:] == events["at"][:-1])
        events = events[~repeated]
    return events[:HISTORY_LENGTH]
