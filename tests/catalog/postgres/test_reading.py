"""A thread reads from the replica of its request, and from the primary as soon as that would be wrong."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError

from catalog.models import Item
from catalog.postgres import reading
from catalog.postgres.reading import ReplicaRouter, from_primary, from_replica
from catalog.process_copy import ProcessCopy
from interactions.models import Event

router = ReplicaRouter()


class Database:
    """Stands for a connection."""

    def __init__(self) -> None:
        self.in_atomic_block = False
        self.is_away = False
        self.asked = 0

    def close_if_health_check_failed(self) -> None:
        self.asked += 1

    def ensure_connection(self) -> None:
        if self.is_away:
            raise OperationalError("nobody there")


@pytest.fixture
def databases(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    there = {"default": Database(), "replica1": Database()}
    monkeypatch.setattr(reading, "connections", there)
    yield SimpleNamespace(primary=there["default"], replica=there["replica1"])
    assert reading._thread.replica == ""


def test_without_a_request_the_primary_is_read(databases: SimpleNamespace) -> None:
    assert router.db_for_read(Item) == "default"
    assert reading.connection() is databases.primary


def test_within_a_request_tables_of_the_catalogue_and_of_events_come_from_the_replica(
    databases: SimpleNamespace,
) -> None:
    with from_replica("replica1"):
        assert router.db_for_read(Item) == router.db_for_read(Event) == "replica1"
        assert reading.connection() is databases.replica
        assert router.db_for_read(User) == "default"
    assert databases.replica.asked == 1
    assert router.db_for_read(Item) == "default"


def test_after_a_write_the_rest_of_the_request_reads_from_the_primary(databases: SimpleNamespace) -> None:
    with from_replica("replica1"):
        assert router.db_for_write(Item) == "default"
        assert router.db_for_read(Item) == "default"
    with from_replica("replica1"):
        assert router.db_for_read(Item) == "replica1"


def test_within_a_transaction_of_the_primary_it_is_read(databases: SimpleNamespace) -> None:
    with from_replica("replica1"):
        databases.primary.in_atomic_block = True
        assert router.db_for_read(Item) == "default"
        databases.primary.in_atomic_block = False
        assert router.db_for_read(Item) == "replica1"


def test_a_replica_that_does_not_answer_is_given_up_for_the_request(
    databases: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    databases.replica.is_away = True
    with from_replica("replica1"):
        assert [router.db_for_read(Item) for _ in range(3)] == ["default"] * 3
    assert databases.replica.asked == 1
    assert "replica1 does not answer, the primary is read: nobody there" in caplog.text


def test_what_a_process_keeps_is_read_from_the_primary(databases: SimpleNamespace) -> None:
    copy = ProcessCopy[str](lambda revision, earlier: reading.alias())
    with from_replica("replica1"):
        assert copy.at(1) == "default"
        with from_primary():
            assert reading.alias() == "default"
        assert reading.alias() == "replica1"


def test_only_the_primary_is_migrated_and_rows_of_both_may_meet() -> None:
    assert router.allow_migrate("default", "catalog") is True
    assert router.allow_migrate("replica1", "catalog") is False
    assert router.allow_relation(Item(), Event()) is True
