"""A copy is read once a revision, by one thread, and survives a database that is away."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError

from catalog.process_copy import ProcessCopy

THREADS = 8


class Table:
    """A loader that remembers for which revisions it was called, and can be away."""

    def __init__(self) -> None:
        self.read_for: list[int] = []
        self.is_away = False

    def read(self, revision: int, earlier: list[str] | None) -> list[str]:
        self.read_for.append(revision)
        if self.is_away:
            raise OperationalError("server closed the connection")
        return [f"row of {revision}"]


def test_it_is_read_again_only_when_the_revision_moves() -> None:
    table = Table()
    copy = ProcessCopy(table.read)
    assert table.read_for == []
    first = copy.at(4)
    assert first == ["row of 4"]
    assert copy.at(4) is first
    assert copy.at(5) == ["row of 5"]
    assert table.read_for == [4, 5]


def test_what_is_held_is_at_hand_when_it_is_read_again() -> None:
    copy = ProcessCopy[tuple[int, ...]](lambda revision, earlier: (*(earlier or ()), revision))
    assert [copy.at(revision) for revision in (4, 5, 5, 3)] == [(4,), (4, 5), (4, 5), (4, 5, 3)]


def test_an_older_revision_is_read_as_well() -> None:
    table = Table()
    copy = ProcessCopy(table.read)
    assert [copy.at(revision) for revision in (5, 4, 5)] == [["row of 5"], ["row of 4"], ["row of 5"]]
    assert table.read_for == [5, 4, 5]


def test_none_is_a_copy_like_any_other() -> None:
    read_for: list[int] = []
    copy = ProcessCopy[None](lambda revision, earlier: read_for.append(revision))
    assert (copy.at(1), copy.at(1), read_for) == (None, None, [1])


def test_of_many_threads_one_reads_and_all_get_what_it_read() -> None:
    table = Table()
    together = threading.Barrier(THREADS)
    copy = ProcessCopy(table.read)

    def ask(_: int) -> list[list[str]]:
        found = []
        for revision in range(50):
            together.wait(timeout=60)
            found.append(copy.at(revision))
        return found

    with ThreadPoolExecutor(THREADS) as threads:
        answers = list(threads.map(ask, range(THREADS)))
    assert table.read_for == list(range(50))
    for revision, found in enumerate(zip(*answers, strict=True)):
        assert found[0] == [f"row of {revision}"]
        assert all(one is found[0] for one in found)


def test_the_held_revision_is_answered_while_another_is_being_read() -> None:
    reading, may_end = threading.Event(), threading.Event()

    def slow(revision: int, earlier: int | None) -> int:
        if revision == 2:
            reading.set()
            assert may_end.wait(timeout=60)
        return revision

    copy = ProcessCopy(slow)
    assert copy.at(1) == 1
    with ThreadPoolExecutor(1) as threads:
        newer = threads.submit(copy.at, 2)
        assert reading.wait(timeout=60)
        assert copy.at(1) == 1
        assert not newer.done()
        may_end.set()
        assert newer.result(timeout=60) == 2


def test_while_the_database_is_away_the_earlier_copy_stays_and_every_caller_tries_again() -> None:
    table = Table()
    copy = ProcessCopy(table.read)
    first = copy.at(1)
    table.is_away = True
    for _ in range(2):
        with pytest.raises(OperationalError, match=r"^server closed the connection$"):
            copy.at(2)
    assert copy.at(1) is first
    assert table.read_for == [1, 2, 2]
    table.is_away = False
    assert copy.at(2) == ["row of 2"]
    assert table.read_for == [1, 2, 2, 2]


def test_without_any_copy_a_failure_leaves_none() -> None:
    table = Table()
    table.is_away = True
    copy = ProcessCopy(table.read)
    with pytest.raises(OperationalError):
        copy.at(1)
    table.is_away = False
    assert copy.at(1) == ["row of 1"]
