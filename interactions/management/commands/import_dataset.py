"""`manage.py import_dataset PATH`: a catalogue and its events from MovieLens, JSON lines or CSV."""

from __future__ import annotations

import csv
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from catalog.datasets.formats import FORMATS
from catalog.datasets.problems import DatasetError, Problem, Problems
from interactions.importing import DatasetRefused, ImportResult, import_dataset
from interactions.management.progress import progress_bars
from interactions.staging import ImportRunning


class Command(BaseCommand):
    """Parse, call `importing.import_dataset`, render."""

    help = "Import items and events from a folder, a zip or a file: MovieLens, JSON lines or CSV. Safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--format", choices=FORMATS, default="", help="Told by the file names when left out.")
        parser.add_argument("--partial", action="store_true", help="Import the good rows although others are broken.")
        parser.add_argument("--report", type=Path, help="Write every problem to this CSV file.")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.perf_counter()
        console = Console(file=cast("IO[str]", self.stdout._out), highlight=False)
        try:
            with _report(options["report"]) as on_problem, progress_bars(console) as progress:
                result = import_dataset(
                    options["path"],
                    format=options["format"],
                    partial=options["partial"],
                    on_problem=on_problem,
                    progress=progress,
                )
        except DatasetRefused as error:
            raise CommandError(f"{_listing(error.problems)}\n{error}.") from error
        except (DatasetError, ImportRunning) as error:
            raise CommandError(str(error)) from error
        if result.problems.total:
            self.stderr.write(f"{_listing(result.problems)}\n{result.problems.counted()}; the rest is imported.")
        console.print(_summary(result, time.perf_counter() - started))


@contextmanager
def _report(path: Path | None) -> Iterator[Callable[[Problem], None] | None]:
    if path is None:
        yield None
        return
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(("file", "row", "column", "code", "message", "value"))
        yield lambda problem: writer.writerow(map(_harmless, _cells(problem)))


def _cells(problem: Problem) -> tuple[object, ...]:
    return problem.file, problem.row, problem.column, problem.code, problem.message, problem.value


def _harmless(cell: object) -> object:
    # A spreadsheet would run a cell that begins like a formula.
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\0")) else cell


def _listing(problems: Problems) -> str:
    lines = [f"{problem}{f' (got {problem.value!r})' if problem.value else ''}" for problem in problems.first]
    if problems.total > len(lines):
        lines.append(f"… and {problems.total - len(lines):,} more")
    return "\n".join(lines)


def _summary(result: ImportResult, seconds: float) -> Table:
    table = Table(title=f"Imported as {result.format} in {seconds:,.1f} s", title_justify="left")
    for name in ("", "new", "changed", "unchanged", "duplicate", "refused"):
        table.add_column(name, justify="right" if name else "left")
    items, events = result.items, result.events
    table.add_row("items", f"{items.new:,}", f"{items.changed:,}", f"{items.unchanged:,}", "", "")
    table.add_row("events", f"{events.new:,}", "", "", f"{events.duplicate:,}", f"{result.refused:,}")
    table.add_row("users", f"{events.users_new:,}", "", "", "", "")
    if result.events_a_second:
        table.caption, table.caption_justify = f"{result.events_a_second:,.0f} events a second", "left"
    return table
