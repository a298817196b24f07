"""Many requests over kept-alive connections, from a process of its own: as fast as they are answered, or on a plan.

Closed loop: each connection asks again as soon as it is answered, which finds the rate of saturation. Open loop: when
requests are due is drawn beforehand (exponential gaps) and latency counts from then, so that a server that stops
answering does not stop being measured ("coordinated omission").
"""

from __future__ import annotations

import asyncio
import http.client
import itertools
import json
import os
import selectors
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np
from numpy.typing import NDArray

CONNECTIONS = 8
"""Of a closed loop: a server of one process and eight threads is never idle."""
OPEN_CONNECTIONS = 64
"""Of an open loop: more requests than that at once wait here, which counts as latency."""


PATIENCE_SECONDS = 300.0
"""A worker's first request reads the whole catalogue."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request."""

    path: str
    body: bytes = b""
    """A POST of JSON where there is one, else a GET."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came back; n requests, in the order of their ends."""

    due: NDArray[np.float64]
    """(n,) seconds of `time.monotonic` at which each should have been sent; was, in a closed loop."""
    seconds: NDArray[np.float64]
    """(n,) from then to its last byte."""
    took: float
    """Seconds in all."""
    failed: tuple[str, ...]
    """What was not answered with a 2xx, or not at all, in words; their times are in neither array."""

    @property
    def rate(self) -> float:
        """Requests answered a second."""
        return len(self.seconds) / self.took

    def percentile(self, share: float) -> float:
        """Return seconds within which `share` percent were answered."""
        return float(np.percentile(self.seconds, share))


def ask_in_turn(port: int, key: str, calls: Sequence[Call]) -> list[Any]:
    """Ask each of `calls`, GETs, over one connection from this process, and return the decoded answers.

    Raises
    ------
    AssertionError
        When one is not answered 200.
    """
    answers = []
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)) as connection:
        for call in calls:
            connection.request("GET", call.path, headers={"Authorization": f"Api-Key {key}"})
            response = connection.getresponse()
            content = response.read()
            if response.status != 200:
                raise AssertionError(f"{call.path} was answered {response.status} {content[:300]!r}")
            answers.append(json.loads(content))
    return answers


class LoadGenerator:
    """Drives one server from a process of its own."""

    def __init__(self, process: ProcessPoolExecutor, port: int, key: str) -> None:
        self._process = process
        self._port = port
        self._key = key

    def start(self, calls: Sequence[Call], *, seconds: float, rate: float | None = None) -> Future[Outcome]:
        """Ask `calls` in turn, over and over, for so long; at `rate` a second, or by default as fast as possible."""
        return self._process.submit(_drive, self._port, self._key, list(calls), seconds, rate)

    def drive(self, calls: Sequence[Call], *, seconds: float, rate: float | None = None) -> Outcome:
        """Do the same and wait for it.

        Raises
        ------
        AssertionError
            When a request failed.
        """
        outcome = self.start(calls, seconds=seconds, rate=rate).result()
        if outcome.failed:
            raise AssertionError(f"{len(outcome.failed)} requests failed, the first: {outcome.failed[0]}")
        return outcome


@contextmanager
def load_generator(port: int, key: str, processors: set[int]) -> Iterator[LoadGenerator]:
    """Yield a generator of load whose process runs on `processors` only."""
    context = get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=os.sched_setaffinity, initargs=(0, processors)) as one:
        yield LoadGenerator(one, port, key)


def _drive(port: int, key: str, calls: list[Call], seconds: float, rate: float | None) -> Outcome:
    # Not epoll: it waits for whole milliseconds.
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        return runner.run(_Driver(port, key, calls).drive(seconds, rate))


class _Driver:
    def __init__(self, port: int, key: str, calls: list[Call]) -> None:
        self._port = port
        self._requests = itertools.cycle([_encoded(call, key) for call in calls])
        self._due: list[float] = []
        self._seconds: list[float] = []
        self._failed: list[str] = []

    async def drive(self, seconds: float, rate: float | None) -> Outcome:
        started = time.monotonic()
        end = started + seconds
        plan = None if rate is None else _plan(started, seconds, rate)
        connections = CONNECTIONS if plan is None else OPEN_CONNECTIONS
        await asyncio.gather(*(self._connection(end, plan) for _ in range(connections)))
        return Outcome(
            due=np.array(self._due),
            seconds=np.array(self._seconds),
            took=time.monotonic() - started,
            failed=tuple(self._failed),
        )

    async def _connection(self, end: float, plan: Iterator[float] | None) -> None:
        opened: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        try:
            while True:
                due = time.monotonic() if plan is None else next(plan, end)
                if due >= end:
                    return
                await asyncio.sleep(due - time.monotonic())
                request = next(self._requests)
                try:
                    opened = opened or await asyncio.open_connection("127.0.0.1", self._port)
                    await self._ask(*opened, request, due)
                except (OSError, asyncio.IncompleteReadError) as error:
                    self._failed.append(f"{request[:100]!r} was not answered: {type(error).__name__}")
                    if opened is None:
                        # Nobody listens: who asks as fast as he is answered would fill the list.
                        await asyncio.sleep(0.1)
                    else:
                        opened[1].close()
                        opened = None
        finally:
            if opened is not None:
                opened[1].close()

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, due: float
    ) -> None:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        # What a middleware refuses has no length, and comes in chunks.
        body = await (reader.readexactly(int(length)) if length else reader.readuntil(b"\r\n0\r\n\r\n"))
        if head[9:10] == b"2":
            self._due.append(due)
            self._seconds.append(time.monotonic() - due)
        else:
            self._failed.append(f"{request[:100]!r} was answered {head[9:12]!r} {body[:300]!r}")


def _plan(started: float, seconds: float, rate: float) -> Iterator[float]:
    """Return when requests are due: the same gaps for the same rate, every time."""
    gaps: Any = np.random.default_rng(1).exponential(1 / rate, size=int(2 * rate * seconds) + 10)
    return iter((started + np.cumsum(gaps)).tolist())


def _encoded(call: Call, key: str) -> bytes:
    method = "POST" if call.body else "GET"
    head = f"{method} {call.path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Api-Key {key}\r\n"
    if call.body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(call.body)}\r\n"
    return head.encode() + b"\r\n" + call.body
