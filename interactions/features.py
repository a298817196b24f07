"""What serving knows about a user: his recent history, what he has seen and what he says he likes, nothing else.

`load` answers from Redis in one round trip (`feature_store`) and from Postgres when Redis does not have the user or is
away. Both give the same arrays. Everything personal is computed from them at request time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
from django.db import connection
from numpy.typing import NDArray

from catalog import revisions
from catalog.revisions import Revisions
from interactions import event_types, feature_store, preferences, shown, stale_histories
from interactions.event_types import EventTypes
from interactions.feature_store import HISTORY_RECORD, LARGEST_VALUE, CachedUser
from interactions.preferences import Preferences
from interactions.redis_breaker import RedisAway

HISTORY_LENGTH = 1000
"""Events. A taste model gains nothing from more (recency weights), and a request reads them all."""

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class UserFeatures:
    """One user at one moment; decoded when it is asked for, which a list that is kept never does.

    A user without consent has an empty history.
    """

    user_id: str
    stored: CachedUser
    stamp: tuple[object, ...] | None = None
    """Differs as soon as anything else here does; None where that cannot be told (not from Redis, a write is open)."""

    @property
    def known(self) -> bool:
        """False for a user nobody has ever heard of."""
        return bool(self.stored.is_known)

    @property
    def country(self) -> str:
        """Two letters or ""."""
        return self.stored.country

    @property
    def consent(self) -> bool:
        """Whether anything about him may be stored."""
        return self.stored.consent

    @cached_property
    def preferences(self) -> Preferences:
        """What he says he likes; empty without consent."""
        return preferences.unpack(self.stored.preferences)

    @cached_property
    def events(self) -> NDArray[np.void]:
        """(n,) HISTORY_RECORDs, newest first, at most HISTORY_LENGTH."""
        return newest_first(np.frombuffer(self.stored.history, dtype=HISTORY_RECORD))

    @property
    def item_pks(self) -> IntArray:
        """(n,) int64, newest first; an item as often as there are events with it."""
        return self.events["item"].astype(np.int64)

    @property
    def type_ids(self) -> IntArray:
        """(n,) int64 primary keys of the events' types."""
        return self.events["type"].astype(np.int64)

    @property
    def occurred_at(self) -> FloatArray:
        """(n,) float64 POSIX seconds, descending."""
        return self.events["at"].astype(np.float64)

    @property
    def values(self) -> NDArray[np.float32]:
        """(n,) float32, nan = none."""
        return self.events["value"].astype(np.float32)

    @property
    def seen_pks(self) -> IntArray:
        """(m,) int64, ascending, unique: items not to recommend again."""
        return np.unique(np.frombuffer(self.stored.seen, dtype="<i8")).astype(np.int64, copy=False)

    @cached_property
    def shown(self) -> NDArray[np.void]:
        """(n,) `shown.RECORD`s: what he was shown lately; read now where `load` was not asked for it.

        No part of the stamp: each list that is shown changes it.
        """
        return shown.of(self.user_id, self.stored)


def load(user_id: str, *, with_shown: bool = False) -> tuple[UserFeatures, Revisions]:
    """Return the user's features and the revisions of everything that steers serving.

    One Redis round trip and no query when the user is cached.

    Parameters
    ----------
    with_shown
        Whether `UserFeatures.shown` will be asked for, and is to come with the rest.

    Raises
    ------
    django.db.Error
        When Postgres is needed and away.
    """
    try:
        cached, announced = feature_store.read(user_id, with_shown=with_shown)
    except RedisAway:
        current = revisions.from_database()
        types = event_types.current(current[revisions.EVENT_TYPES])
        return UserFeatures(user_id=user_id, stored=_from_database([user_id], types)[user_id]), current
    current = announced if announced is not None else revisions.announce_all()
    types_revision = current[revisions.EVENT_TYPES]
    stamp: tuple[object, ...] | None = _stamp(cached)
    if _is_stale(cached, types_revision):
        fresh = _from_database([user_id], event_types.current(types_revision))[user_id]
        # Read while another may be writing: the generation does not say which of the two came first.
        cached, stamp = replace(fresh, generation=cached.generation, shown=cached.shown), None
        _store(user_id, cached)
    return UserFeatures(user_id=user_id, stored=cached, stamp=stamp), current


def as_of(user_id: str, moment: datetime | None = None) -> UserFeatures:
    """Return the user's features as Postgres has them, past every cache: of events that had happened by `moment`.

    Without a moment of all events, which is what `load` gives. A profile keeps no history: country, preferences and
    consent are today's, and so is which event types mark an item as seen.
    """
    types = event_types.load(revisions.from_database()[revisions.EVENT_TYPES])
    return UserFeatures(user_id=user_id, stored=_from_database([user_id], types, moment)[user_id])


def refill(user_ids: Sequence[str]) -> int:
    """Cache these users where nothing valid is cached, some hundreds at a time; return how many were.

    Safe beside writers: what one of them changes meanwhile is not stored, and read at the user's next request.

    Raises
    ------
    RedisAway
    """
    current = revisions.from_database()[revisions.EVENT_TYPES]
    generations = {}
    for user_id in user_ids:
        cached, _ = feature_store.read(user_id)
        if _is_stale(cached, current):
            generations[user_id] = cached.generation
    fresh = _from_database(list(generations), event_types.current(current))
    return sum(
        feature_store.store(user_id, replace(fresh[user_id], generation=generation))
        for user_id, generation in generations.items()
    )


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


def _is_stale(cached: CachedUser, types_revision: int) -> bool:
    return cached.is_known is None or (cached.is_known and cached.event_types_revision != types_revision)


def _from_database(user_ids: Sequence[str], types: EventTypes, moment: datetime | None = None) -> dict[str, CachedUser]:
    """Read users in three queries; without generations."""
    users = {
        user_id: CachedUser(generation=b"", is_known=False, event_types_revision=types.revision) for user_id in user_ids
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT user_id, id, country, consent = 'granted', preferences FROM interactions_userprofile "
            "WHERE user_id = ANY(%s)",
            [list(user_ids)],
        )
        profiles = cursor.fetchall()
        consenting = [pk for _, pk, _, consent, _ in profiles if consent]
        histories = _newest_events(cursor, consenting, types, moment) if consenting else {}
        seen = _seen_items(cursor, consenting, types, moment) if consenting else {}
    for user_id, pk, country, consent, told in profiles:
        users[user_id] = CachedUser(
            generation=b"",
            is_known=True,
            consent=consent,
            country=country,
            preferences=preferences.pack(preferences.of(msgspec.json.decode(told))) if consent else b"",
            history=np.array(histories.get(pk, []), HISTORY_RECORD).tobytes(),
            seen=np.array(seen.get(pk, []), np.int64).tobytes(),
            event_types_revision=types.revision,
        )
    return users


def _newest_events(
    cursor: Any, pks: Sequence[int], types: EventTypes, moment: datetime | None
) -> dict[int, list[tuple[Any, ...]]]:
    """Return HISTORY_RECORDs by user, newest first."""
    cursor.execute(
        """
        SELECT wanted.pk, newest.* FROM unnest(%s::bigint[]) AS wanted (pk) CROSS JOIN LATERAL (
            SELECT item_id, extract(epoch FROM occurred_at)::float8, event_id, event_type_id,
                   CASE WHEN value IS NULL THEN 'nan' ELSE least(greatest(value, -%s::float8), %s::float8) END
            FROM interactions_event
            WHERE user_id = wanted.pk AND occurred_at <= %s AND event_type_id = ANY(%s)
            ORDER BY occurred_at DESC, event_id DESC LIMIT %s
        ) newest
        """,
        [list(pks), LARGEST_VALUE, LARGEST_VALUE, moment or "infinity", sorted(types.remembered), HISTORY_LENGTH],
    )
    low_bits = 2**64 - 1
    histories: dict[int, list[tuple[Any, ...]]] = {}
    for pk, item, at, event, kind, value in cursor.fetchall():
        histories.setdefault(pk, []).append((item, at, event.int & low_bits, kind, value))
    return histories


def _seen_items(cursor: Any, pks: Sequence[int], types: EventTypes, moment: datetime | None) -> dict[int, list[int]]:
    cursor.execute(
        "SELECT DISTINCT user_id, item_id FROM interactions_event "
        "WHERE user_id = ANY(%s) AND event_type_id = ANY(%s) AND occurred_at <= %s",
        [list(pks), sorted(types.marks_seen), moment or "infinity"],
    )
    seen: dict[int, list[int]] = {}
    for pk, item in cursor.fetchall():
        seen.setdefault(pk, []).append(item)
    return seen


def _stamp(user: CachedUser) -> tuple[object, ...]:
    """Return what changes with every change of the user: the generation, and, should Redis have lost count, his newest
    events."""
    newest = user.history[-HISTORY_RECORD.itemsize :]
    sizes = len(user.history), len(user.seen), user.seen[-8:]
    return user.generation, user.is_known, user.consent, user.country, user.preferences, newest, *sizes


def newest_first(events: NDArray[np.void]) -> NDArray[np.void]:
    """Return HISTORY_RECORDs in descending time (then event id), each event once, at most HISTORY_LENGTH."""
    if len(events) > 1 and not np.all(events["at"][:-1] > events["at"][1:]):
        events = events[np.lexsort((events["event"], events["at"]))[::-1]]
        repeated = np.zeros(len(events), dtype=bool)
        repeated[1:] = (events["event"][1:] == events["event"][:-1]) & (events["at"][1:] == events["at"][:-1])
        events = events[~repeated]
    return events[:HISTORY_LENGTH]
