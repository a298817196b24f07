"""What is made in a thread is handed over once, and not begun again too soon."""

from __future__ import annotations

import logging

import pytest
from django.db import OperationalError

from catalog.renewal import Renewal


def test_what_was_made_is_handed_over_once() -> None:
    renewal = Renewal(lambda: "new", seconds=0)
    assert renewal.taken() is None
    thread = renewal.begin()
    assert thread is not None
    thread.join(timeout=60)
    assert [renewal.taken(), renewal.taken()] == ["new", None]


def test_it_does_not_begin_again_too_soon() -> None:
    made: list[int] = []
    renewal = Renewal(lambda: made.append(1), seconds=3600)
    thread = renewal.begin()
    assert thread is not None
    thread.join(timeout=60)
    assert renewal.begin() is None
    assert made == [1]


def test_while_the_database_is_away_nothing_is_handed_over(caplog: pytest.LogCaptureFixture) -> None:
    def away() -> str:
        raise OperationalError("server closed the connection")

    renewal = Renewal(away, seconds=0)
    with caplog.at_level(logging.WARNING):
        thread = renewal.begin()
        assert thread is not None
        thread.join(timeout=60)
    assert renewal.taken() is None
    assert caplog.messages == ["not renewed: server closed the connection"]
