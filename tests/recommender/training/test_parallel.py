from __future__ import annotations

import multiprocessing
import os
import signal
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection

import pytest

from recommender.training.parallel import CHUNK, in_parallel

pytestmark = pytest.mark.usefixtures("two_cores")


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})


def whose(value: int) -> tuple[int, int]:
    return value, os.getpid()


def test_results_come_in_the_order_of_the_values() -> None:
    offset = 1000
    values = list(range(2 * CHUNK + 7))
    # What the function closes over is there without being sent.
    assert list(in_parallel(lambda value: value + offset, values)) == [value + 1000 for value in values]


def test_more_than_a_chunk_is_done_by_others() -> None:
    done = list(in_parallel(whose, range(6), chunk=2))
    assert [value for value, _ in done] == [0, 1, 2, 3, 4, 5]
    assert os.getpid() not in {by for _, by in done}


@pytest.mark.parametrize("values", [[], [1], [1, 2]])
def test_no_more_than_a_chunk_is_done_here(values: list[int]) -> None:
    assert list(in_parallel(whose, values, chunk=2)) == [(value, os.getpid()) for value in values]


def test_on_one_core_all_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert {by for _, by in in_parallel(whose, range(6), chunk=2)} == {os.getpid()}


def test_what_goes_wrong_there_is_raised_here_and_the_next_call_works() -> None:
    with pytest.raises(ZeroDivisionError):
        list(in_parallel(lambda value: 1 / (value - 4), range(6), chunk=2))
    assert list(in_parallel(abs, range(6), chunk=2)) == [0, 1, 2, 3, 4, 5]


def test_a_process_that_is_killed_is_not_waited_for() -> None:
    """As the kernel does when memory runs out."""
    with pytest.raises(BrokenProcessPool):
        list(in_parallel(lambda value: os.kill(os.getpid(), signal.SIGKILL), range(6), chunk=2))


def test_whoever_stops_reading_leaves_nothing_behind() -> None:
    results = in_parallel(whose, range(100), chunk=1)
    assert next(results)[0] == 0
    results.close()  # type: ignore[attr-defined]
    assert multiprocessing.active_children() == []


def test_a_process_that_may_have_no_children_does_it_itself() -> None:
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe()
    daemon = fork.Process(target=_report, args=(there,), daemon=True)
    daemon.start()
    assert here.recv() == [(value, daemon.pid) for value in range(6)]
    daemon.join()


def _report(there: Connection) -> None:
    there.send(list(in_parallel(whose, range(6), chunk=2)))
