"""Liveness never asks anybody; readiness says what is missing and gives up only when nothing can be served."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from catalog import revisions, snapshot
from catalog.models import Item
from interactions import partitions
from recommender import serving_state
from recommender.registry import active
from recsite import health

NO_MODEL = {"model": "none can be loaded; the popular list answers"}


@pytest.fixture
def _warm(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold a catalogue of one item in memory, and no model."""
    Item.objects.create(item_id="heat", title="Heat")
    active.forget()
    monkeypatch.setattr(serving_state, "_last", None)
    serving_state.at(revisions.announce_all())


def ready() -> tuple[int, dict[str, Any]]:
    response = Client().get("/readyz")
    return response.status_code, response.json()


def break_postgres(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*arguments: Any, **named: Any) -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(health, "_postgres_fault", lambda: "cannot be asked (OperationalError)")
    monkeypatch.setattr(revisions, "from_database", away)
    monkeypatch.setattr(snapshot, "build", away)


def break_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "client", lambda: redis.Redis(host="127.0.0.1", port=1, socket_connect_timeout=0.2))


def test_alive_asks_nobody(django_assert_num_queries: Any, db: None) -> None:
    with django_assert_num_queries(0):
        response = Client().get("/livez")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.usefixtures("_warm")
def test_a_machine_that_is_taken_out_is_not_ready_and_alive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    drain = tmp_path / "drain"
    monkeypatch.setattr("recsite.environment.DRAIN_FILE", str(drain))
    assert ready()[0] == 200
    drain.touch()
    assert ready() == (503, {"status": "draining", "degraded": {}, "reason": "is being taken out of service"})
    assert Client().get("/livez").status_code == 200
    drain.unlink()
    assert ready()[0] == 200


@pytest.mark.usefixtures("_warm")
def test_ready_when_all_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    state: Any = serving_state.last()
    with_model = replace(state, model=state.catalogue)  # only its presence matters here
    monkeypatch.setattr(serving_state, "at", lambda current: with_model)
    assert ready() == (200, {"status": "ok", "degraded": {}})


def test_an_empty_site_is_ready_and_says_what_it_lacks(db: None) -> None:
    active.forget()
    assert ready() == (200, {"status": "degraded", "degraded": {"catalogue": "is empty"} | NO_MODEL})


@pytest.mark.usefixtures("_warm")
def test_ready_without_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    break_redis(monkeypatch)
    assert ready() == (
        200,
        {"status": "degraded", "degraded": {"redis": "cannot be asked (ConnectionError)"} | NO_MODEL},
    )


@pytest.mark.usefixtures("_warm")
def test_ready_without_postgres_from_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    break_postgres(monkeypatch)
    assert ready() == (
        200,
        {"status": "degraded", "degraded": {"postgres": "cannot be asked (OperationalError)"} | NO_MODEL},
    )


@pytest.mark.usefixtures("_warm")
def test_ready_without_both_from_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    break_postgres(monkeypatch)
    break_redis(monkeypatch)
    status, document = ready()
    assert (status, sorted(document["degraded"])) == (200, ["model", "postgres", "redis"])


@pytest.mark.usefixtures("_warm")
def test_not_ready_without_both_and_nothing_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    break_postgres(monkeypatch)
    break_redis(monkeypatch)
    monkeypatch.setattr(serving_state, "_last", None)
    status, document = ready()
    assert (status, document["status"]) == (503, "unavailable")
    assert document["reason"] == "neither Postgres nor memory has the catalogue"
    assert sorted(document["degraded"]) == ["postgres", "redis"]


@pytest.mark.usefixtures("_warm")
def test_rows_without_a_partition_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "default_rows", {"interactions_event": 3, "interactions_impression": 0}.__getitem__)
    status, document = ready()
    assert (status, document["degraded"]["partitions"]) == (200, "3 rows of interactions_event in no partition")


@pytest.mark.usefixtures("_warm")
def test_a_beat_that_is_silent_is_told_of() -> None:
    every = IntervalSchedule.objects.create(every=5, period="seconds")
    task = PeriodicTask.objects.create(name="often", task="often", interval=every)
    PeriodicTask.objects.filter(pk=task.pk).update(last_run_at=timezone.now() - timedelta(minutes=4))
    assert "beat" not in ready()[1]["degraded"]
    last = timezone.now() - timedelta(hours=1)
    PeriodicTask.objects.filter(pk=task.pk).update(last_run_at=last)
    status, document = ready()
    expected = f"has sent no task since {last:%F %R} UTC: models grow old"
    assert (status, document["degraded"]["beat"]) == (200, expected)
