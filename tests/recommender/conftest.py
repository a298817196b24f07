"""A process that holds nothing in memory, as each test needs it."""

from __future__ import annotations

import pytest

from catalog import snapshot
from experiments import queries as experiment_queries
from interactions import event_types, redis_breaker
from recommender import queries, serving_state
from recommender.pipeline import model_view
from recommender.registry import active
from recommender.rules import compile as rules


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget every copy of the database: a rolled-back test's revisions are used again by the next one."""
    for module in (snapshot, experiment_queries, event_types, queries, model_view, rules):
        monkeypatch.setattr(module, "_current", None)
    monkeypatch.setattr(serving_state, "_last", None)
    monkeypatch.setattr(redis_breaker, "breaker", redis_breaker.CircuitBreaker())
    active.forget()
