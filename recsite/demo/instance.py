"""One running demo a copy of the project: who runs it, where it answers, and how to stop it from elsewhere."""

from __future__ import annotations

import fcntl
import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from recsite import environment
from recsite.local_services.server import wait_until

LOCK = environment.LOCAL_DIRECTORY / "demo.lock"
STOP_SECONDS = 30


class AlreadyRunning(Exception):
    """Another process runs this copy's demo. The message is for a person."""


@contextmanager
def claim() -> Iterator[Callable[[str], None]]:
    """Be this copy's demo; yields the function that tells others the address once it answers.

    Raises
    ------
    AlreadyRunning
        When somebody else is.
    """
    with _open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _, url = _read(lock)
            where = f"at {url}" if url else "and is still starting"
            raise AlreadyRunning(
                f"The demo of this copy is already running {where}. Use that one, or `make stop` it first."
            ) from None
        _write(lock, "")
        yield lambda url: _write(lock, url)


def stop() -> bool:
    """Ask the running demo to stop and wait until it has; False when none is running.

    Raises
    ------
    AlreadyRunning
        When it does not stop within 30 s.
    """
    with _open() as lock:
        if _take(lock):
            return False
        process, _ = _read(lock)
        if process:
            os.kill(process, signal.SIGTERM)
        if not wait_until(lambda: _take(lock), STOP_SECONDS):
            raise AlreadyRunning(f"The demo (process {process}) does not stop; kill it with: kill -9 {process}")
        return True


def _open() -> IO[str]:
    LOCK.parent.mkdir(exist_ok=True)
    LOCK.touch()
    return LOCK.open("r+")


def _take(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write(lock: IO[str], url: str) -> None:
    lock.seek(0)
    lock.truncate()
    lock.write(json.dumps({"process": os.getpid(), "url": url}))
    lock.flush()


def _read(lock: IO[str]) -> tuple[int, str]:
    """Return process and address; zero and "" in the moment in which the other one is writing them."""
    lock.seek(0)
    try:
        found = json.loads(lock.read())
    except ValueError:
        return 0, ""
    return found["process"], found["url"]
