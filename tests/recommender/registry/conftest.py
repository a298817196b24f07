"""A model directory of the test's own, and bundles small enough to work out by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings as django_settings
from django.db import connections

from recommender.models import ActiveModel, ModelVersion, RebuildJob
from recommender.registry import active, jobs, publishing, storage
from recommender.registry.jobs import Lease
from recommender.registry.storage import StoredVersion
from recommender.vector_index import handler

EXACT = "recommender.vector_index.brute_force.BruteForceBackend"

ARRAYS: dict[str, Any] = {
    "item_pks": np.array([11, 7, 30], dtype=np.int64),
    "collaborative.factors": np.array([[1, 0], [0, 1], [1, 1]], dtype=np.float32),
    "known": np.array([True, False, True]),
}


@pytest.fixture(autouse=True)
def model_directory(settings: django_settings, tmp_path: Path) -> Iterator[Path]:
    settings.RECOMMENDER_MODEL_DIRECTORY = str(tmp_path / "models")
    settings.RECOMMENDER_VECTOR_INDEXES = {"default": {"BACKEND": EXACT}}
    active.forget()
    yield tmp_path / "models"
    active.forget()


@pytest.fixture
def write() -> Callable[..., StoredVersion]:
    """Write a small version; arrays given replace the usual ones."""

    def write(name: str = "v1", arrays: dict[str, Any] | None = None) -> StoredVersion:
        index = handler.backend().build(ARRAYS["collaborative.factors"], "dot")
        return storage.write(name, ARRAYS | (arrays or {}), {"loss": 0.25}, {"collaborative": index})

    return write


@pytest.fixture
def lease() -> Callable[[], Lease]:
    """Take the lease; whoever held it has lost it."""

    def lease() -> Lease:
        RebuildJob.objects.filter(state=RebuildJob.State.RUNNING).update(state=RebuildJob.State.FAILED)
        claimed = jobs.claim("test")
        assert isinstance(claimed, Lease)
        return claimed

    return lease


@pytest.fixture
def record(write: Callable[..., StoredVersion], lease: Callable[[], Lease]) -> Callable[[], ModelVersion]:
    """Write the next version and enter it as ready."""

    def record() -> ModelVersion:
        name = publishing.next_name()
        return publishing.record_version(
            name, stored=write(name), fencing_token=lease().fencing_token, metrics={"ndcg": 0.1}
        )

    return record


@pytest.fixture
def publish(record: Callable[[], ModelVersion], lease: Callable[[], Lease]) -> Callable[[], ModelVersion]:
    """Write, enter and publish the next version."""

    def publish() -> ModelVersion:
        version = record()
        publishing.publish(version, fencing_token=lease().fencing_token)
        return version

    return publish


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Real commits that other connections see, for tests with threads; only this suite's tables are emptied."""
    with django_db_blocker.unblock():
        yield
        ActiveModel.objects.all().delete()
        RebuildJob.objects.all().delete()
        ModelVersion.objects.all().delete()
        connections.close_all()
