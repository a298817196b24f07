"""Measure the engine on files of one's own: train, rank every unseen item, print NDCG and the rest."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from recommender.exceptions import RecommenderError
from recommender.training import offline
from recommender.training.evaluation import LIST_LENGTH
from recommender.training.report import ACCURACY, BEYOND_ACCURACY, readable

WIDTH = 120


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--train", type=Path, required=True, help="CSV: user_id,item_id,timestamp[,value]")
        parser.add_argument("--test", type=Path, required=True, help="CSV of the same form: what was taken later")
        parser.add_argument("--items", type=Path, help="CSV: item_id,title,category,tags,published_at")
        parser.add_argument("--k", type=int, default=10, help="length of the measured lists (default 10)")
        parser.add_argument("--recommendations", type=Path, help="write user_id,item_id,rank here (top 20)")
        parser.add_argument("--json", type=Path, help="write the metrics here")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["k"] <= LIST_LENGTH:
            raise CommandError(f"--k must be 1..{LIST_LENGTH}, not {options['k']}.")
        for option in ("recommendations", "json"):
            path: Path | None = options[option]
            if path is not None and not path.parent.is_dir():
                raise CommandError(f"--{option}: there is no directory {path.parent}.")
        console = Console(stderr=True)
        with Progress(console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
            task = progress.add_task("reading", total=None)
            try:
                result = offline.run(
                    options["train"],
                    options["test"],
                    options["items"],
                    k=options["k"],
                    stage=lambda name: progress.update(task, description=name),
                    user_done=lambda total: progress.update(task, total=total, advance=1),
                )
            except RecommenderError as error:
                raise CommandError(str(error)) from error
        if options["recommendations"]:
            result.write_lists(options["recommendations"])
        evaluation = result.evaluation
        if options["json"]:
            report = {
                "k": options["k"],
                "final": evaluation.final.as_dict(),
                "sources": {name: metrics.as_dict() for name, metrics in evaluation.sources.items()},
                "reports": evaluation.reports,
            }
            options["json"].write_text(json.dumps(report, indent=2) + "\n")
        console = Console(file=sys.stdout, width=WIDTH)
        for table in _tables(evaluation.reports):
            console.print(table)


def _tables(reports: Mapping[str, Mapping[str, Any]]) -> Iterator[Table]:
    """Yield accuracy and the rest by list, and the final list's accuracy by segment."""
    final = reports["final"]
    yield _table(
        f"{final['users']} users, every unseen item ranked, at {final['k']}",
        ("list",),
        ACCURACY,
        [((name,), report["accuracy"]) for name, report in reports.items()],
    )
    yield _table(
        "beyond accuracy",
        ("list",),
        BEYOND_ACCURACY,
        [((name,), report["beyond_accuracy"]) for name, report in reports.items()],
    )
    yield _table(
        "the final list by users' history",
        ("users", "number", "items before"),
        ACCURACY,
        [
            ((name, str(one["users"]), f"{one['shortest_history']}–{one['longest_history']}"), one["accuracy"])
            for name, one in final["segments"].items()
        ],
    )


def _table(
    title: str, keys: Sequence[str], columns: Mapping[str, str], rows: Iterable[tuple[Sequence[str], Mapping[str, Any]]]
) -> Table:
    """Return a line a row of figures; NDCG is what lists are judged by, and has its interval beside it."""
    table = Table(title=title)
    for place, key in enumerate(keys):
        table.add_column(key, justify="right" if place else "left", no_wrap=True)
    for name, heading in columns.items():
        table.add_column(heading, justify="right")
        if name == "ndcg":
            table.add_column("95 % interval", justify="right")
    for row, figures in rows:
        cells = []
        for name in columns:
            figure = figures[name]
            cells.append(readable(figure["mean"]))
            if name == "ndcg":
                cells.append(f"{readable(figure['low'])}–{readable(figure['high'])}")
        table.add_row(*row, *cells)
    return table
