"""The supervisor, with small real processes below it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from recsite.local_services.server import wait_until
from recsite.processes import LARGEST_LOG_BYTES, Program, Supervisor

POLITE = """
import pathlib, signal, sys, time
def stop(*_):
    with open({diary!r}, "a") as diary:
        diary.write({name!r} + " stopped\\n")
    sys.exit()
signal.signal(signal.SIGTERM, stop)
pathlib.Path({started!r}).touch()
time.sleep(60)
"""
STUBBORN = """
import os, pathlib, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
file = pathlib.Path({started!r})
file.with_suffix(".new").write_text(f"{{os.getpid()}} {{child.pid}}")
file.with_suffix(".new").rename(file)
time.sleep(60)
"""


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., Program]:
    def make(name: str, code: str, grace_seconds: float = 10.0) -> Program:
        code = code.format(name=name, started=str(tmp_path / name), diary=str(tmp_path / "diary"))
        log = tmp_path / f"{name}.log"
        return Program(name=name, command=[sys.executable, "-c", code], log=log, grace_seconds=grace_seconds)

    return make


def _is_gone(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def test_programs_stop_in_reverse_order(tmp_path: Path, program: Callable[..., Program]) -> None:
    with Supervisor(print) as supervisor:
        for name in ("first", "second"):
            supervisor.start(program(name, POLITE))
        assert supervisor.watch(lambda: (tmp_path / "first").exists() and (tmp_path / "second").exists(), 30)
    assert (tmp_path / "diary").read_text() == "second stopped\nfirst stopped\n"


def test_a_program_that_dies_is_started_again_and_said_so(tmp_path: Path, program: Callable[..., Program]) -> None:
    said: list[str] = []
    dying = program(
        "dying", f"import os; print(os.environ['GREETING'], flush=True); os.kill(os.getpid(), {signal.SIGSEGV})"
    )
    dying = Program(name="dying", command=dying.command, log=dying.log, environment={"GREETING": "hello"})
    with Supervisor(said.append) as supervisor:
        supervisor.start(dying)
        assert supervisor.watch(lambda: len(said) == 2, 30)
    log = tmp_path / "dying.log"
    assert said == [
        f"dying stopped by itself (killed by SIGSEGV); starting it again in 0 s. Its log: {log}",
        f"dying stopped by itself (killed by SIGSEGV); starting it again in 2 s. Its log: {log}",
    ]
    assert log.read_text() == "hello\nhello\n"


def test_an_exit_status_is_told(program: Callable[..., Program]) -> None:
    said: list[str] = []
    with Supervisor(said.append) as supervisor:
        supervisor.start(program("leaving", "raise SystemExit(3)"))
        assert supervisor.watch(lambda: bool(said), 30)
    assert said[0].startswith("leaving stopped by itself (exit status 3); starting it again")


def test_one_that_ignores_being_asked_is_killed_with_what_it_started(
    tmp_path: Path, program: Callable[..., Program]
) -> None:
    with Supervisor(print) as supervisor:
        supervisor.start(program("stubborn", STUBBORN, grace_seconds=0.1))
        assert supervisor.watch((tmp_path / "stubborn").exists, 30)
        processes = [int(part) for part in (tmp_path / "stubborn").read_text().split()]
        assert not any(_is_gone(process) for process in processes)
    assert wait_until(lambda: all(_is_gone(process) for process in processes), 10)


def test_what_a_dead_program_started_does_not_outlive_it(tmp_path: Path, program: Callable[..., Program]) -> None:
    said: list[str] = []
    with Supervisor(said.append) as supervisor:
        supervisor.start(program("stubborn", STUBBORN))
        assert supervisor.watch((tmp_path / "stubborn").exists, 30)
        main, orphan = (int(part) for part in (tmp_path / "stubborn").read_text().split())
        os.kill(main, signal.SIGKILL)
        assert supervisor.watch(lambda: bool(said), 30)
        assert wait_until(lambda: _is_gone(orphan), 10)


def test_nothing_outlives_a_killed_supervisor(tmp_path: Path, program: Callable[..., Program]) -> None:
    stubborn = program("stubborn", STUBBORN, grace_seconds=0.1)
    code = f"""
from pathlib import Path
from recsite.processes import Program, Supervisor
with Supervisor(print) as supervisor:
    supervisor.start(Program(name="stubborn", command={stubborn.command!r}, log=Path({str(stubborn.log)!r}),
                             grace_seconds=0.1))
    supervisor.watch()
"""
    with subprocess.Popen([sys.executable, "-c", code]) as supervisor:
        assert wait_until((tmp_path / "stubborn").exists, 30)
        supervisor.kill()
    processes = [int(part) for part in (tmp_path / "stubborn").read_text().split()]
    assert wait_until(lambda: all(_is_gone(process) for process in processes), 10)


def test_a_large_log_is_moved_aside(tmp_path: Path, program: Callable[..., Program]) -> None:
    log = tmp_path / "polite.log"
    log.write_bytes(b"x" * (LARGEST_LOG_BYTES + 1))
    with Supervisor(print) as supervisor:
        supervisor.start(program("polite", POLITE))
        assert supervisor.watch((tmp_path / "polite").exists, 30)
    assert (tmp_path / "polite.log.1").stat().st_size == LARGEST_LOG_BYTES + 1
    assert log.read_bytes() == b""
