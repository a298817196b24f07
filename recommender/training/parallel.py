"""Work on many users at once, one process a core: the pipeline is Python and holds the interpreter's lock."""

from __future__ import annotations

import multiprocessing
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

T = TypeVar("T")
R = TypeVar("R")

CHUNK = 100
"""Values handed to a process at once."""

_work: Callable[[Any], Any] | None = None


def in_parallel(function: Callable[[T], R], values: Sequence[T], chunk: int = CHUNK) -> Iterator[R]:
    """Yield `function` of each of `values`, in order.

    Forked processes share what `function` closes over without a copy. What it returns is pickled. In a process that may
    not have children (a daemonic worker), on one core, or for no more than one chunk, everything is done here.

    Raises
    ------
    BrokenProcessPool
        When one of the processes was killed; what `function` raises comes through as it is.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    may_fork = "fork" in multiprocessing.get_all_start_methods() and not multiprocessing.current_process().daemon
    if cores == 1 or len(values) <= chunk or not may_fork:
        with threadpool_limits(limits=1):
            yield from map(function, values)
        return
    global _work
    chunks = [values[start : start + chunk] for start in range(0, len(values), chunk)]
    _work = function
    # Not multiprocessing's own Pool, which waits for ever for a process that was killed.
    pool = ProcessPoolExecutor(min(cores, len(chunks)), mp_context=multiprocessing.get_context("fork"))
    try:
        with warnings.catch_warnings():
            # Python 3.12 warns that a lock held by another thread (the lease's heartbeat) stays held in a child: the
            # children take none but their own, they only compute.
            warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
            results = pool.map(_run_chunk, chunks)
        for done in results:
            yield from done
    finally:
        pool.shutdown(cancel_futures=True)
        _work = None


def _run_chunk(values: Sequence[Any]) -> list[Any]:
    assert _work is not None  # noqa: S101 -- set before the fork
    with threadpool_limits(limits=1):
        return [_work(value) for value in values]
