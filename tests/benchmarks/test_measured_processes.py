from __future__ import annotations

import subprocess
import sys

from tests.benchmarks.measured_processes import Memory, descendants, memory_of, processor_seconds

MARK = "mark-of-this-test"
PARENT = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {{child!r}}, "{MARK}"], stdin=subprocess.PIPE)
child.wait()
"""
CHILD = """
import sys, time
held = bytearray(50_000_000)
sum(range(3_000_000))
print("ready", flush=True)
sys.stdin.read()
"""


def test_the_workers_below_are_found_and_measured() -> None:
    command = [sys.executable, "-c", PARENT.format(child=CHILD), MARK]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        [worker] = descendants(MARK)
        assert worker != parent.pid
        held = memory_of([worker])
        assert 50_000_000 < held.anonymous <= held.pss < 200_000_000
        assert processor_seconds([worker]) > 0
        parent.kill()
    assert descendants(MARK) == []


def test_a_process_that_has_ended_holds_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    assert memory_of([ended.pid]) == Memory(pss=0, anonymous=0)
    assert processor_seconds([ended.pid]) == 0
