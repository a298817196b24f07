from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from celery.exceptions import OperationalError

from recommender import hint

Commit = Callable[[], AbstractContextManager[Any]]


def test_a_worker_is_told_after_the_commit(db: None, commit: Commit, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(hint.current_app, "send_task", sent.append)
    with commit():
        hint.after_commit("a.task")
        assert sent == []
    assert sent == ["a.task"]


def test_a_broker_that_is_away_is_logged_and_nothing_else(
    db: None, commit: Commit, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(name: str) -> None:
        raise OperationalError("no broker")

    monkeypatch.setattr(hint.current_app, "send_task", away)
    with commit():
        hint.after_commit("a.task")
    assert "beat will find what a.task waits for: no broker" in caplog.text
