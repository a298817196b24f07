"""Run several programs in the foreground: restart the one that dies, and stop all of them, in order, at the end.

Each program runs below a guard (`process_guard.py`) in a process group of its own, so Ctrl-C reaches only the
supervisor, and no program outlives it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

GUARD = Path(__file__).with_name("process_guard.py")
POLL_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 30.0
HEALTHY_SECONDS = 60.0
"""A program that ran this long starts again at once; its earlier failures are forgotten."""
LARGEST_LOG_BYTES = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run and where its output goes."""

    name: str
    command: Sequence[str]
    log: Path
    """Output is appended; a log over 10 MB is moved to `<name>.1` at the next start."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to this process's own."""
    grace_seconds: float = 5.0
    """How long it may take to stop after a polite SIGTERM before it is killed."""


class Supervisor:
    """Keep programs running inside a `with` block; leaving it stops them, the last one first.

    Parameters
    ----------
    say
        Called with one line for a person whenever a program dies.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._running: list[_Running] = []
        self._say = say

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, program: Program) -> None:
        """Start `program` and keep it running from now on."""
        running = _Running(program)
        self._running.append(running)
        running.start()

    def watch(self, is_done: Callable[[], bool] = lambda: False, seconds: float = float("inf")) -> bool:
        """Restart what dies until `is_done` or `seconds` are over; return whether it was done."""
        deadline = time.monotonic() + seconds
        while not is_done():
            if time.monotonic() > deadline:
                return False
            for running in self._running:
                running.look_after(self._say)
            time.sleep(POLL_SECONDS)
        return True

    def stop(self) -> None:
        """Stop every program, in reverse order; another Ctrl-C or SIGTERM meanwhile kills what is left at once."""

        def kill_all(_number: int, _frame: FrameType | None) -> None:
            for running in self._running:
                running.kill()

        previous = {number: signal.signal(number, kill_all) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            for running in reversed(self._running):
                running.stop()
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)


class _Running:
    """One program's present process, if any, and its record of failures."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._failures = 0

    def start(self) -> None:
        program = self._program
        program.log.parent.mkdir(parents=True, exist_ok=True)
        if program.log.exists() and program.log.stat().st_size > LARGEST_LOG_BYTES:
            program.log.rename(program.log.with_name(f"{program.log.name}.1"))
        with program.log.open("ab") as log:
            self._process = subprocess.Popen(
                # Isolated and without site-packages: the guard needs neither, and starts in a tenth of the time.
                [sys.executable, "-I", "-S", str(GUARD), str(program.grace_seconds), *program.command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **program.environment},
                start_new_session=True,
            )
        self._started_at = time.monotonic()

    def look_after(self, say: Callable[[str], None]) -> None:
        now = time.monotonic()
        if self._process is None:
            if now >= self._started_at:
                self.start()
            return
        status = self._process.poll()
        if status is None:
            return
        self._forget()
        self._failures = 1 if now - self._started_at >= HEALTHY_SECONDS else self._failures + 1
        pause = min(2.0 ** (self._failures - 1), LONGEST_PAUSE_SECONDS) if self._failures > 1 else 0.0
        self._started_at = now + pause
        name, log = self._program.name, self._program.log
        say(f"{name} stopped by itself ({_described(status)}); starting it again in {pause:g} s. Its log: {log}")

    def stop(self) -> None:
        if self._process is None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(self._program.grace_seconds + 2)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()
        self._forget()

    def kill(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _forget(self) -> None:
        # What the program started itself may have outlived it and its guard.
        self.kill()
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None


def _described(status: int) -> str:
    # The guard ends with the status of its program; 256 less is how a negative one comes out of an exit.
    number = -status if status < 0 else 256 - status if status > 192 else 0
    try:
        return f"killed by {signal.Signals(number).name}"
    except ValueError:
        return f"exit status {status}"
