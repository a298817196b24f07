"""Which requests replicas of Postgres may answer: those that only ask, from somebody who has not just written.

Pages of the site and the admin read the catalogue, users and events (`catalog.postgres.reading`) from one of
REPLICA_URLS. A browser that has sent anything reads from the primary for REPLICA_LAG_SECONDS, by a cookie. A replica
that is further behind than that, or does not answer, is not read. The API reads from the primary: lists come from
memory, and whoever may ask it for an item or a user may have written them a moment ago.

How far it is behind is told by the schedule's last run, which beat writes every ten seconds: unlike what a server says
of its own replication, that is right also when it has lost the primary. Without beat no replica is read.
"""

from __future__ import annotations

import functools
import itertools
import logging
import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.http import HttpRequest, HttpResponseBase

from catalog.postgres import patience, reading
from recsite.errors import API_PREFIX

logger = logging.getLogger(__name__)

COOKIE = "recsite_wrote"
"""Says that its browser has sent something a moment ago, and nothing else."""
READS = ("GET", "HEAD")
NOTHING_TO_SEE = ("/recommender/report", "/recommender/late")
"""What every page sends by itself; nobody looks for a trace of it."""
CHECK_SECONDS = 5.0
CHECK_PATIENCE_SECONDS = 0.5
_BEHIND = "SELECT EXTRACT(EPOCH FROM clock_timestamp() - max(last_run_at)) FROM django_celery_beat_periodictask"


class Replica:
    """One database of REPLICA_URLS, as this process knows it. Threads share it."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.fault: str | None = "has not been asked yet"
        """Why it is not read; None where it is."""
        self._lock = threading.Lock()
        self._asked_at = -float("inf")

    def is_current(self) -> bool:
        """Return whether it may be read; one thread finds out every CHECK_SECONDS, the others know it from that one."""
        if time.monotonic() - self._asked_at >= CHECK_SECONDS and self._lock.acquire(blocking=False):
            try:
                fault = self._fault()
                if fault != self.fault:
                    logger.warning("%s %s", self.alias, fault or "is read")
                self.fault, self._asked_at = fault, time.monotonic()
            finally:
                self._lock.release()
        return self.fault is None

    def _fault(self) -> str | None:
        connection = connections[self.alias]
        try:
            with patience.within(CHECK_PATIENCE_SECONDS), connection.cursor() as cursor:
                cursor.execute(_BEHIND)
                (behind,) = cursor.fetchone()
        except DatabaseError as error:
            connection.close()
            return f"cannot be asked ({type(error).__name__})"
        if behind is None:
            return "has no run of beat to tell how old it is"
        if behind > settings.REPLICA_LAG_SECONDS - CHECK_SECONDS:
            return f"is {behind:.0f} s behind"
        return None


@functools.cache
def replicas() -> tuple[Replica, ...]:
    """Return this process's."""
    return tuple(Replica(alias) for alias in settings.DATABASES if alias != DEFAULT_DB_ALIAS)


class ReplicaMiddleware:
    """Chooses, for each request, where it reads."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._turns = itertools.count()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith((API_PREFIX, *NOTHING_TO_SEE)):
            return self.get_response(request)
        if request.method in READS:
            with reading.from_replica("" if COOKIE in request.COOKIES else self._next()):
                return self.get_response(request)
        answer = self.get_response(request)
        answer.set_cookie(
            COOKIE,
            "1",
            max_age=settings.REPLICA_LAG_SECONDS,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        return answer

    def _next(self) -> str:
        """Return a replica that may be read, each in its turn; "" where none may."""
        current = [replica.alias for replica in replicas() if replica.is_current()]
        return current[next(self._turns) % len(current)] if current else ""
