"""`python -m tests.benchmarks [--only NAME…] [--list]`: run, report; 0 even when a target is missed, 1 on an error."""

from __future__ import annotations

import fcntl
import sys
import time
import traceback
from argparse import ArgumentParser, Namespace
from pathlib import Path

from rich.console import Console

from recsite import local_services
from recsite.environment import BASE_DIRECTORY, LOCAL_DIRECTORY
from tests.benchmarks import machine, report, suite
from tests.benchmarks.figures import Row

FOLDER = LOCAL_DIRECTORY / "bench"
RESULT = BASE_DIRECTORY / "bench.json"


def main(arguments: list[str]) -> int:
    """Return the exit code."""
    options = _options(arguments)
    # A log has no width of its own; narrow columns would break every name.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    if options.list:
        for benchmark in suite.BENCHMARKS:
            console.print(f"{benchmark.name:<20}{benchmark.measures}")
        return 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            console.print("Another run of the benchmarks is under way in this copy: wait for it.")
            return 1
        return _run([benchmark for benchmark in suite.BENCHMARKS if benchmark.name in options.only], console)


def _options(arguments: list[str]) -> Namespace:
    names = [benchmark.name for benchmark in suite.BENCHMARKS]
    parser = ArgumentParser(prog="python -m tests.benchmarks")
    usual = [benchmark.name for benchmark in suite.BENCHMARKS if not benchmark.on_request]
    parser.add_argument("--only", nargs="+", choices=names, default=usual, metavar="NAME", help=", ".join(names))
    parser.add_argument("--list", action="store_true", help="name the benchmarks and stop")
    return parser.parse_args(arguments)


def _run(benchmarks: list[suite.Benchmark], console: Console) -> int:
    described = machine.describe()
    rows: list[Row] = []
    failed = []
    started = time.perf_counter()
    try:
        with local_services.running():
            for benchmark in benchmarks:
                try:
                    rows += suite.run(benchmark, FOLDER)
                # Whatever stops one benchmark, the others still have something to say; it is told and counted.
                except Exception:  # noqa: BLE001
                    traceback.print_exc()
                    failed.append(benchmark.name)
    except local_services.LocalServiceError as error:
        console.print(f"[red]{error}[/]")
        return 1
    report.write(RESULT, described, rows)
    report.show(console, described, rows)
    minutes, seconds = divmod(round(time.perf_counter() - started), 60)
    console.print(f"{minutes} min {seconds} s. {_relative(RESULT)} has the figures, {_relative(FOLDER)}/ the charts.")
    if failed:
        console.print(f"[red]Stopped by an error:[/] {', '.join(failed)}")
    return 1 if failed else 0


def _relative(path: Path) -> str:
    return str(path.relative_to(BASE_DIRECTORY))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
