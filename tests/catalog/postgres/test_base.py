"""Nobody waits longer for Postgres than he may, and not again and again."""

from __future__ import annotations

import socket
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection

from catalog.postgres import base, breaker
from catalog.postgres.base import DatabaseWrapper
from catalog.postgres.patience import left, within

pytestmark = pytest.mark.usefixtures("django_db_setup")


@pytest.fixture
def wrapper(monkeypatch: pytest.MonkeyPatch, django_db_blocker: Any) -> Iterator[DatabaseWrapper]:
    """A connection of its own that waits for half a second, and a breaker of its own."""
    monkeypatch.setattr(breaker, "_breakers", defaultdict(breaker.Breaker))
    settings = connection.settings_dict
    options = {**settings["OPTIONS"], "patience_seconds": 0.5}
    made = DatabaseWrapper({**settings, "OPTIONS": options}, alias=connection.alias)
    with django_db_blocker.unblock():
        yield made
        made.close()


@contextmanager
def silent_server(wrapper: DatabaseWrapper, folder: Path) -> Iterator[None]:
    """Have the wrapper ask one that takes connections, as the kernel does for a server that hangs, and says nothing."""
    host = wrapper.settings_dict["HOST"]
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(folder / ".s.PGSQL.5432"))
        silent.listen()
        wrapper.settings_dict["HOST"] = str(folder)
        yield
    wrapper.settings_dict["HOST"] = host


def sleep(wrapper: DatabaseWrapper, seconds: float) -> Any:
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT 7 FROM pg_sleep(%s)", [seconds])
        return cursor.fetchone()


def test_what_answers_in_time_is_answered(wrapper: DatabaseWrapper) -> None:
    assert sleep(wrapper, 0.01) == (7,)


def test_a_connection_without_an_answer_is_closed_and_the_next_one_is_good(wrapper: DatabaseWrapper) -> None:
    with pytest.raises(OperationalError, match=r"no answer within 0\.50 s"):
        sleep(wrapper, 60)
    wrapper.close_if_unusable_or_obsolete()
    assert sleep(wrapper, 0) == (7,)


def test_somebody_in_a_hurry_waits_less_all_together(wrapper: DatabaseWrapper) -> None:
    sleep(wrapper, 0)
    with within(0.1), within(60):
        sleep(wrapper, 0.01)
        with pytest.raises(OperationalError, match=r"no answer within 0\.0"):
            sleep(wrapper, 60)


def test_an_error_of_the_server_leaves_the_connection_open(wrapper: DatabaseWrapper) -> None:
    sleep(wrapper, 0)
    held = wrapper.connection
    with wrapper.cursor() as cursor:
        cursor.execute("SET statement_timeout = 20")
        with pytest.raises(OperationalError, match="statement timeout"):
            cursor.execute("SELECT pg_sleep(60)")
    assert wrapper.connection is held
    assert not held.closed


def test_who_keeps_several_waiting_is_left_alone_until_he_answers(
    wrapper: DatabaseWrapper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()

    def ask(params: object) -> None:
        assert answers.is_set()

    monkeypatch.setattr(base, "_probe", ask)
    monkeypatch.setattr(breaker, "PAUSE_SECONDS", 0.01)
    with silent_server(wrapper, tmp_path):
        for _ in range(breaker.FAILURES):
            with pytest.raises(OperationalError, match="no connection within"):
                sleep(wrapper, 0)
    with pytest.raises(OperationalError, match="left alone"):
        sleep(wrapper, 0)
    answers.set()
    deadline = time.monotonic() + 30
    while breaker.is_left_alone(wrapper.alias):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert sleep(wrapper, 0) == (7,)


def test_who_is_in_a_hurry_speaks_for_others_in_a_hurry_only(
    wrapper: DatabaseWrapper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slow reads of lists, which have something to go on with, must not have events refused."""
    monkeypatch.setattr(base, "_probe", lambda params: threading.Event().wait(60))
    with silent_server(wrapper, tmp_path):
        for _ in range(breaker.FAILURES):
            with within(0.05), pytest.raises(OperationalError, match="no connection within"):
                sleep(wrapper, 0)
    with within(30), pytest.raises(OperationalError, match="left alone"):
        sleep(wrapper, 0)
    assert sleep(wrapper, 0) == (7,)


def test_each_database_is_thought_of_by_itself(wrapper: DatabaseWrapper) -> None:
    breaker.breaker("another").is_open = True
    assert sleep(wrapper, 0) == (7,)


def test_a_connection_under_way_is_finished_while_the_server_is_left_alone(wrapper: DatabaseWrapper) -> None:
    """What is open in a transaction may still be committed."""
    wrapper.set_autocommit(False)
    sleep(wrapper, 0)
    breaker.breaker(wrapper.alias).is_open = True
    assert sleep(wrapper, 0) == (7,)
    wrapper.commit()
    with pytest.raises(OperationalError, match="left alone"):
        sleep(wrapper, 0)


def test_without_a_patience_nothing_is_bounded(django_db_blocker: Any) -> None:
    with django_db_blocker.unblock(), within(0.01), connection.cursor() as cursor:
        cursor.execute("SELECT 7 FROM pg_sleep(0.1)")
        assert cursor.fetchone() == (7,)


def test_time_left_is_the_least_of_all_limits() -> None:
    assert left(3.0) == 3.0
    with within(0.0):
        assert left(3.0) == 0.0
    with within(100.0):
        assert left(3.0) == 3.0
    assert left(3.0) == 3.0
