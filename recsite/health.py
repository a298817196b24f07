"""Is the process alive, and can it serve? For supervisors and load balancers; neither address asks for a key."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import redis
from django.db import DatabaseError, connection
from django.db.models import Max
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from catalog import revisions
from catalog.redis_store import client, ping
from interactions import partitions
from recommender import serving_state
from recommender.serving_state import ServingState
from recsite import environment
from recsite.replicas import replicas

logger = logging.getLogger(__name__)

BEAT_SILENT = timedelta(minutes=5)
"""What runs most often runs every few seconds; a deployment takes less than this."""


def livez(request: HttpRequest) -> JsonResponse:
    """Answer 200 whenever this process answers at all: restarting it mends nothing that Postgres or Redis lack."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when lists can be served, naming what is missing; 503 when not even the popular list can, or when the
    machine is being taken out (`DRAIN_FILE`), which goes on to answer.

    Asking also loads the catalogue and the model, so that a process that is ready is warm.
    """
    if environment.DRAIN_FILE and Path(environment.DRAIN_FILE).exists():
        return _answer({"status": "draining", "degraded": {}, "reason": "is being taken out of service"}, 503)
    postgres = _postgres_fault()
    faults = {"postgres": postgres, "redis": _redis_fault()}
    serving = _serving_fault(faults)
    if postgres is None:
        faults["partitions"] = _partitions_fault()
        faults["beat"] = _beat_fault()
    faults |= {replica.alias: replica.fault for replica in replicas() if not replica.is_current()}
    degraded = {name: fault for name, fault in faults.items() if fault}
    status = "unavailable" if serving else "degraded" if degraded else "ok"
    document = {"status": status, "degraded": degraded} | ({"reason": serving} if serving else {})
    return _answer(document, 503 if serving else 200)


def _answer(document: dict[str, Any], status: int) -> JsonResponse:
    return JsonResponse(document, status=status, headers={"Cache-Control": "no-store"})


def _postgres_fault() -> str | None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM catalog_revision LIMIT 1")
    except DatabaseError as error:
        logger.warning("readyz: Postgres: %s", error)
        return f"cannot be asked ({type(error).__name__})"
    return None


def _redis_fault() -> str | None:
    try:
        ping(client())
    except redis.RedisError as error:
        return f"cannot be asked ({type(error).__name__})"
    return None


def _partitions_fault() -> str | None:
    waiting = {table: partitions.default_rows(table) for table in partitions.TABLES}
    return "; ".join(f"{count} rows of {table} in no partition" for table, count in waiting.items() if count) or None


def _beat_fault() -> str | None:
    """Return for how long no beat has sent anything; None where none ever has, as on a new site."""
    newest = PeriodicTask.objects.filter(enabled=True).aggregate(newest=Max("last_run_at"))["newest"]
    if newest is None or timezone.now() - newest < BEAT_SILENT:
        return None
    return f"has sent no task since {newest:%F %R} UTC: models grow old"


def _serving_fault(faults: dict[str, str | None]) -> str | None:
    """Return why nothing can be served, None when something can; adds what makes the lists poorer to `faults`."""
    try:
        state: ServingState | None = serving_state.at(_revisions(faults))
    except DatabaseError as error:
        logger.warning("readyz: %s", error)
        state = serving_state.last()
    if state is None:
        return "neither Postgres nor memory has the catalogue"
    faults["catalogue"] = None if len(state.catalogue) else "is empty"
    faults["model"] = None if state.model else "none can be loaded; the popular list answers"
    return None


def _revisions(faults: dict[str, str | None]) -> revisions.Revisions:
    """Return the revisions from Redis, as requests read them, else from Postgres."""
    if faults["redis"] is None:
        try:
            # The stubs mix the answers of the two kinds of client.
            reply: list[bytes | None] = client().hmget(revisions.hash_key(), list(revisions.NAMES))  # type: ignore[assignment]
            found = revisions.from_reply(reply)
        except redis.RedisError as error:
            logger.warning("readyz: Redis: %s", error)
        else:
            if found is not None:
                return found
    return revisions.from_database()
