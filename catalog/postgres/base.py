"""Django's backend for Postgres, except that nobody waits for ever for a server that hangs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any, cast

import psycopg
from django.db.backends.postgresql import base
from psycopg import pq

from catalog.postgres import patience
from catalog.postgres.breaker import breaker, is_left_alone

PROBE_SECONDS = 1.0


class Connection(psycopg.Connection[Any]):
    """A connection that is closed when an answer does not come in time: nobody knows what it would bring later."""

    patience_seconds: float = 0.0
    """0: as long as it takes."""
    alias: str
    """The database's name among DATABASES."""
    ask_again: Callable[[], object]
    """Finds out whether Postgres answers again."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer, see `psycopg.Connection.wait`."""
        if not self.patience_seconds:
            return super().wait(gen, interval, timeout)
        if is_left_alone(self.alias) and self.info.transaction_status == pq.TransactionStatus.IDLE:
            raise psycopg.OperationalError("Postgres is left alone until it answers")
        limit = patience.left(self.patience_seconds)
        began = time.monotonic()
        try:
            reply = super().wait(gen, interval, limit if timeout is None else min(limit, timeout))
        except psycopg.OperationalError as error:
            if time.monotonic() - began < limit or error.sqlstate is not None:
                raise
            self.close()
            breaker(self.alias).kept_waiting(self.ask_again)
            raise psycopg.OperationalError(f"no answer within {limit:.2f} s") from error
        breaker(self.alias).answered()
        return reply


class Probe(psycopg.Connection[Any]):
    """A connection that asks whether Postgres answers, whatever is thought of it."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer, PROBE_SECONDS at most."""
        return super().wait(gen, interval, PROBE_SECONDS)


class DatabaseWrapper(base.DatabaseWrapper):
    """The connection of one thread. OPTIONS may have `patience_seconds`: how long an answer is waited for at most."""

    patience_seconds = 0.0

    def get_connection_params(self) -> dict[str, Any]:
        """Return what Django's own does, without the option that the driver does not know."""
        params: dict[str, Any] = super().get_connection_params()
        self.patience_seconds = float(params.pop("patience_seconds", 0.0))
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect, waiting no longer than this thread may.

        Raises
        ------
        psycopg.OperationalError
            Postgres refuses, does not answer in time, or is being left alone.
        """
        if not self.patience_seconds:
            return super().get_new_connection(conn_params)
        if is_left_alone(self.alias):
            raise psycopg.OperationalError("Postgres is left alone until it answers")
        limit = patience.left(self.patience_seconds)
        attempt = _Attempt(lambda: super(DatabaseWrapper, self).get_new_connection(conn_params))
        connection = attempt.result(limit)
        if connection is None:
            breaker(self.alias).kept_waiting(lambda: _probe(conn_params))
            raise psycopg.OperationalError(f"no connection within {limit:.2f} s")
        # Django makes connections of the driver's own class only.
        connection.__class__ = Connection
        bounded = cast(Connection, connection)
        bounded.patience_seconds, bounded.alias = self.patience_seconds, self.alias
        bounded.ask_again = lambda: _probe(conn_params)
        return bounded


class _Attempt:
    """To connect, in a thread of its own: the driver waits for two seconds at least."""

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._given_up = False
        self._connection: psycopg.Connection[Any] | None = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="connecting", daemon=True)
        self._thread.start()

    def result(self, seconds: float) -> psycopg.Connection[Any] | None:
        """Return the connection, None when there is none in time; raises what connecting has raised."""
        self._thread.join(seconds)
        with self._lock:
            self._given_up = self._connection is None and self._error is None
            if self._error is not None:
                raise self._error
            return self._connection

    def _run(self) -> None:
        try:
            connection = self._connect()
        except Exception as error:  # noqa: BLE001 -- raised again in the thread that waits
            self._error = error
            return
        with self._lock:
            if not self._given_up:
                self._connection = connection
                return
        connection.close()


def _probe(params: dict[str, Any]) -> None:
    """Ask Postgres for one; raises when it does not answer."""
    with closing(Probe.connect(**params)) as connection:
        connection.execute("SELECT 1")
