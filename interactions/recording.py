"""The one door by which events enter, and the promise behind the API's 202: it returns after COMMIT, each event once.

1. `feature_store.open_writes` warns readers of the users' cached histories.
2. One transaction (`event_writing`), nearly always one statement: users, ids, events and dead letters, every set of
   keys in ascending order so that writers of the same keys wait for each other instead of deadlocking; retried when the
   database says so.
3. After commit `feature_store.close_writes` appends to the cached histories: the event counts on the next request.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from django.db import Error, connection, transaction

from catalog import revisions
from catalog.revisions import Revisions
from interactions import event_types, feature_store
from interactions.contracts import EventInput, Verdict
from interactions.event_types import EventTypes
from interactions.event_writing import Outcome, write
from interactions.feature_store import OpenWrites, StoredEvent
from interactions.redis_breaker import RedisAway

__all__ = ["EventInput", "Verdict", "record"]

ATTEMPTS = 5
_PASSING_FAILURES = frozenset(
    {
        "40P01",  # deadlock
        "40001",  # serialization failure
        "23514",  # the row's partition was attached while the statement was on its way to the default one
    }
)


def record(events: Sequence[EventInput], *, source: str = "api") -> list[Verdict]:
    """Store events; return one verdict each, in their order.

    Unknown users are created. An event of an unknown item is kept as a dead letter and replayed when the item arrives.
    Nothing is stored of a user who withholds his consent. Inside a caller's transaction the verdicts hold if that
    commits, and the cached histories follow its commit.

    Parameters
    ----------
    events
        Checked as `validation` does; 1,000 make a good batch.
    source
        Where they come from, for dead letters.

    Raises
    ------
    django.db.Error
        Nothing of the batch was stored; sending it again is safe.
    """
    if not events:
        return []
    users = sorted({event.user_id for event in events})
    opened, current = _open_writes(users)
    types = event_types.current(current[revisions.EVENT_TYPES])
    try:
        stale_users = users if opened is None else ()
        outcome = _retried(lambda: write(events, types, current[revisions.CATALOGUE], source, stale_users))
    except BaseException:
        _close_writes(opened, (), types)
        raise
    transaction.on_commit(lambda: _close_writes(opened, outcome.stored, types))
    return outcome.verdicts


def _open_writes(users: Sequence[str]) -> tuple[OpenWrites | None, Revisions]:
    """Return what to close, None with Redis away, and the revisions of now."""
    opened = announced = None
    with suppress(RedisAway):
        opened, announced = feature_store.open_writes(users)
    return opened, announced if announced is not None else revisions.from_database()


def _close_writes(opened: OpenWrites | None, stored: Sequence[StoredEvent], types: EventTypes) -> None:
    if opened is not None:
        with suppress(RedisAway):
            feature_store.close_writes(opened, stored, types.revision)


def _retried(write_batch: Callable[[], Outcome]) -> Outcome:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return write_batch()
        except Error as error:
            passing = getattr(error.__cause__, "sqlstate", None) in _PASSING_FAILURES
            if not passing or connection.in_atomic_block or attempt == ATTEMPTS:
                raise
            time.sleep(random.uniform(0.005, 0.02) * attempt)
    raise AssertionError("unreachable: the last attempt returns or raises")
