"""What running processes have taken of processors, and what they hold in memory: Linux's /proc."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Bytes of some processes together."""

    pss: int
    """Pages of their own, and of each shared one the part that falls to them; a file's pages are shared by all."""
    anonymous: int
    """The part of it that no file stands behind: what a leak adds to."""


def memory_of(processes: list[int]) -> Memory:
    """Return it, from /proc/PID/smaps_rollup; a process that has ended has none."""
    found = [_rollup(process) for process in processes]
    return Memory(pss=sum(one.get("Pss", 0) for one in found), anonymous=sum(one.get("Pss_Anon", 0) for one in found))


def peak_bytes(process: int | None = None) -> int:
    """Return the most that a process (this one by default) has held so far, files and shared memory included."""
    lines = _read(process or os.getpid(), "status").splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def processor_seconds(processes: list[int]) -> float:
    """Return the seconds of a processor that all their threads have had, in user and system mode."""
    ticks = [sum(map(int, _read(process, "stat").rpartition(")")[2].split()[11:13])) for process in processes]
    return sum(ticks) / os.sysconf("SC_CLK_TCK")


def descendants(command: str) -> list[int]:
    """Return the processes below this one whose command line holds `command` and that have no such process below.

    Of a server's processes these are its workers, not the one that watches them.
    """
    below = [process for process in _below(os.getpid()) if command in _command_line(process)]
    parents = {_parent(process) for process in below}
    return [process for process in below if process not in parents]


def _below(ancestor: int) -> Iterator[int]:
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            children.setdefault(_parent(int(entry.name)), []).append(int(entry.name))
    waiting = [ancestor]
    while waiting:
        found = children.get(waiting.pop(), [])
        yield from found
        waiting += found


def _rollup(process: int) -> dict[str, int]:
    lines = _read(process, "smaps_rollup").splitlines()[1:]
    return {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in lines)}


def _parent(process: int) -> int:
    status = _read(process, "stat").rpartition(")")[2].split()
    return int(status[1]) if status else 0


def _command_line(process: int) -> str:
    return _read(process, "cmdline").replace("\0", " ")


def _read(process: int, file: str) -> str:
    try:
        return (PROC / str(process) / file).read_text()
    except OSError:
        return ""
