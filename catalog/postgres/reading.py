"""Which database a thread reads from: the primary, unless it serves a request that a replica may answer.

What reads in order to keep (a copy in a process, features in Redis), to write, or to decide about the person who has
just written reads from the primary. So a replica is chosen for the length of one request (`recsite.replicas`), and
holds for the tables of REPLICATED_APPS: sessions, keys, rules, versions and experiments always come from the primary.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, transaction

logger = logging.getLogger(__name__)

REPLICATED_APPS = frozenset({"catalog", "interactions"})


class _Thread(threading.local):
    replica: str = ""
    answers = False
    """It has been found to answer."""


_thread = _Thread()


@contextmanager
def from_replica(alias: str) -> Iterator[None]:
    """Read from this database inside ("": the primary); from the primary after the first write, or where it is away."""
    earlier = _thread.replica, _thread.answers
    _thread.replica, _thread.answers = alias, False
    try:
        yield
    finally:
        _thread.replica, _thread.answers = earlier


def from_primary() -> Any:
    """Read from the primary inside, whatever was chosen around it."""
    return from_replica("")


def alias() -> str:
    """Return the name of the database that this thread reads from now.

    A replica that does not answer is given up for the rest of the request, before anything has been asked of it.
    """
    chosen = _thread.replica
    if not chosen or connections[DEFAULT_DB_ALIAS].in_atomic_block:
        return DEFAULT_DB_ALIAS
    if not _thread.answers:
        try:
            connections[chosen].close_if_health_check_failed()
            connections[chosen].ensure_connection()
        except DatabaseError as error:
            logger.warning("%s does not answer, the primary is read: %s", chosen, error)
            _thread.replica = ""
            return DEFAULT_DB_ALIAS
        _thread.answers = True
    return chosen


def connection() -> Any:
    """Return the connection for a query that only reads tables of REPLICATED_APPS."""
    return connections[alias()]


@contextmanager
def in_transaction() -> Iterator[Any]:
    """Yield a cursor for such queries, inside a transaction."""
    chosen = alias()
    with transaction.atomic(using=chosen), connections[chosen].cursor() as cursor:
        yield cursor


class ReplicaRouter:
    """Django's questions, answered as above."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        """Return where to read."""
        return alias() if model._meta.app_label in REPLICATED_APPS else DEFAULT_DB_ALIAS

    def db_for_write(self, model: Any, **hints: Any) -> str:
        """Return the primary, which is read as well from here on."""
        _thread.replica = ""
        return DEFAULT_DB_ALIAS

    def allow_relation(self, first: Any, second: Any, **hints: Any) -> bool:
        """Return True: they are all the same rows."""
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        """Return whether it is the primary."""
        return db == DEFAULT_DB_ALIAS
