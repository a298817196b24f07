"""What Prometheus reads."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from interactions.models import DeadLetter
from recommender.models import ActiveModel, ModelVersion, RebuildRequest
from recsite import site_state
from recsite.environment import BASE_DIRECTORY


def counted(view: str, method: str, status: str) -> float:
    labels = {"view": view, "method": method, "status": status}
    return REGISTRY.get_sample_value("recsite_request_seconds_count", labels) or 0.0


@pytest.mark.parametrize(
    ("method", "path", "labels"),
    [
        ("GET", "/livez", ("livez", "GET", "200")),
        ("GET", "/api/v1/nothing/42", ("unmatched", "GET", "404")),
        ("BREW", "/livez", ("livez", "OTHER", "200")),
    ],
)
def test_a_request_is_counted_under_its_route(method: str, path: str, labels: tuple[str, str, str]) -> None:
    before = counted(*labels)
    Client().generic(method, path)
    assert counted(*labels) == before + 1


def samples() -> dict[tuple[str, str], float]:
    text = Client().get("/metrics").text
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("recsite_") and not sample.name.startswith("recsite_request")
    }


def test_the_state_of_the_database_is_told(db: None) -> None:
    assert samples() == {
        ("recsite_postgres_up", ""): 1.0,
        ("recsite_redis_up", ""): 1.0,
        ("recsite_impressions_waiting", ""): 0.0,
        ("recsite_rebuild_waiting_seconds", ""): 0.0,
        ("recsite_default_partition_rows", "interactions_event"): 0.0,
        ("recsite_default_partition_rows", "interactions_impression"): 0.0,
    }


def test_the_processes_of_a_machine_are_added_up(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    worker = "import django; django.setup(); from django.test import Client; Client().get('/livez')"
    for _ in range(2):
        environment = os.environ | {"ALLOWED_HOSTS": "testserver"}
        subprocess.run([sys.executable, "-c", worker], check=True, env=environment, cwd=BASE_DIRECTORY)

    text = Client().get("/metrics").text

    counted = 'recsite_request_seconds_count{method="GET",status="200",view="livez"} 2.0'
    assert counted in text.splitlines()
    assert "recsite_postgres_up 1.0" in text.splitlines()


def test_metrics_answer_without_postgres(monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        def cursor(self) -> None:
            raise OperationalError("server closed the connection")

    monkeypatch.setattr(site_state, "connection", Away())
    assert samples() == {
        ("recsite_postgres_up", ""): 0.0,
        ("recsite_redis_up", ""): 1.0,
        ("recsite_impressions_waiting", ""): 0.0,
    }


def test_what_waits_is_told(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for replayed_at in (None, None, timezone.now()):
        DeadLetter.objects.create(code="item_unknown", message="", payload="{}", replayed_at=replayed_at)
    RebuildRequest.objects.create(asked_at=timezone.now() - timedelta(seconds=90))
    version = ModelVersion.objects.create(
        name="v1", state=ModelVersion.State.READY, created_at=timezone.now() - timedelta(hours=2)
    )
    ActiveModel.objects.create(version=version)
    told = samples()
    assert told["recsite_dead_letters", "item_unknown"] == 2
    assert 90 <= told["recsite_rebuild_waiting_seconds", ""] < 150
    assert 7200 <= told["recsite_model_age_seconds", ""] < 7260
