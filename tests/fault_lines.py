"""Which tests stand for which row of the fault matrix, and what became of them; a plugin of the test run.

A test is marked `fault(row, …)`. With `--chaos` only those run, and all long ones (`long`), and the table is written.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.chaos import report
from tests.chaos.report import Line

LINES = pytest.StashKey[dict[str, list[Line]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare --chaos."""
    parser.addoption("--chaos", action="store_true", help="Run the fault matrix and other long tests, nothing else.")
    parser.addoption("--chaos-folder", default=".", help="Where chaos.json and chaos.md are written.")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marks."""
    config.stash[LINES] = {}
    config.addinivalue_line("markers", "fault(*rows): stands for these rows of the fault matrix")
    config.addinivalue_line("markers", "long: takes too long for `make test`; `make chaos` runs it")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep what this run is for."""
    whole = config.getoption("--chaos")
    kept, left = [], []
    for one in items:
        is_long = one.get_closest_marker("long") is not None
        wanted = is_long or bool(rows_of(one)) if whole else not is_long
        (kept if wanted else left).append(one)
    config.hook.pytest_deselected(items=left)
    items[:] = kept


def rows_of(item: pytest.Item) -> tuple[int, ...]:
    """Return the rows that a test stands for."""
    return tuple(dict.fromkeys(row for mark in item.iter_markers("fault") for row in mark.args))


def lines_of(config: pytest.Config, item: pytest.Item) -> list[Line]:
    """Return the lines of a test in the table."""
    held = config.stash[LINES]
    return held.setdefault(item.nodeid, [Line(row=row, test=item.nodeid) for row in rows_of(item)])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Note how a test went."""
    result: pytest.TestReport = yield
    for line in lines_of(item.config, item):
        line.seconds += result.duration
        if result.failed:
            line.verdict = "failed"
            line.notes.append(str(result.longrepr).strip().splitlines()[-1][:200])
        elif result.skipped:
            line.verdict = "skipped"
            line.notes.append(str(result.longrepr[-1])[:200] if isinstance(result.longrepr, tuple) else "")
        elif result.when == "call":
            line.verdict = "passed"
    # After each: a run that is ended has its table as well.
    if result.when == "teardown" and item.config.getoption("--chaos"):
        _write(item.config)
    return result


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Show the table."""
    if config.getoption("--chaos"):
        terminalreporter.write(_write(config))


def _write(config: pytest.Config) -> str:
    lines = [line for lines in config.stash[LINES].values() for line in lines if line.verdict]
    return report.write(lines, Path(config.getoption("--chaos-folder")))
