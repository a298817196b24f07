"""A process that holds nothing in memory, and a small site whose database and model can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.db import connection
from redis.backoff import NoBackoff
from redis.retry import Retry

from catalog import presentations, snapshot
from experiments import queries as experiment_queries
from interactions import event_types, explored, popularity, presented, redis_breaker
from recommender import listing, queries, serving_state
from recommender.pipeline import model_view
from recommender.registry import active, tried
from recommender.rules import compile as rules
from recommender.shadowing import opened, switch
from tests.recommender.film_site import FilmSite

EXACT = "recommender.vector_index.brute_force.BruteForceBackend"

Commit = Callable[[], AbstractContextManager[Any]]


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget every copy of the database: a rolled-back test's revisions are used again by the next one."""
    for module in (snapshot, presentations, experiment_queries, event_types, queries, rules, switch):
        monkeypatch.setattr(module._copy, "_held", None)
    for module in (model_view, rules):
        monkeypatch.setattr(module, "_current", None)
    monkeypatch.setattr(serving_state, "_last", None)
    monkeypatch.setattr(redis_breaker, "breaker", redis_breaker.CircuitBreaker())
    listing._cache.cache_clear()
    active.forget()
    tried.forget()
    opened.let_go()
    explored.forget()
    presented.forget()
    popularity.forget()


@pytest.fixture
def models(settings: django_settings, tmp_path: Path) -> Iterator[Path]:
    """Give the test a model directory of its own, and exact indexes."""
    settings.RECOMMENDER_MODEL_DIRECTORY = str(tmp_path / "models")
    settings.RECOMMENDER_VECTOR_INDEXES = {"default": {"BACKEND": EXACT}}
    yield tmp_path / "models"
    active.forget()


@pytest.fixture
def commit(django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[Any]]) -> Commit:
    """Return a block at whose end everything that waits for a commit is done, and waits no longer."""

    @contextmanager
    def commit() -> Iterator[None]:
        with django_capture_on_commit_callbacks(execute=True):
            yield
        connection.run_on_commit.clear()

    return commit


@pytest.fixture
def site(db: None, models: Path, commit: Commit) -> FilmSite:
    """Return the site of `film_site`, with its model published."""
    return FilmSite(commit)


@pytest.fixture
def dead_redis(monkeypatch: pytest.MonkeyPatch) -> redis.Redis:
    """Let nobody answer where Redis was."""
    nobody = redis.Redis(unix_socket_path="/nonexistent/redis.sock", retry=Retry(NoBackoff(), 0))
    for module in ("interactions.redis_breaker", "catalog.revisions"):
        monkeypatch.setattr(f"{module}.client", lambda: nobody)
    return nobody
