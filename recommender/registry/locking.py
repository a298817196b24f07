"""The lock that orders claims, publications, roll-backs and retention against each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

_KEY = 0x7265_636F_6D6D_656E
"""Any number no other advisory lock of the database uses."""


@contextmanager
def exclusive() -> Iterator[None]:
    """Open a transaction and hold the registry's lock to its end; keep it short.

    An advisory lock and not the pointer row: before the first publication there is no row. It belongs to the
    transaction, so a killed process and a transaction-pooling proxy both give it back. Waits at most the connection's
    lock_timeout, then raises `django.db.OperationalError`.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_KEY])
        yield
