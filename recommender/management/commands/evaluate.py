"""Measure the engine on files of one's own: train, rank every unseen item, print NDCG and the rest.

Without --test a part of the --train file is held out, as --split says.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from interactions.management.progress import RateColumn
from recommender import conf
from recommender.exceptions import RecommenderError
from recommender.training import offline
from recommender.training.csv_split import split_file
from recommender.training.evaluation import LIST_LENGTH
from recommender.training.report import ACCURACY, BEYOND_ACCURACY, readable
from recommender.training.split import SHARE, WAYS, Way

WIDTH = 140


COLUMNS = (TextColumn("{task.description}"), BarColumn(), RateColumn(), TimeRemainingColumn())


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--train", type=Path, required=True, help="CSV: user_id,item_id,timestamp[,value]")
        parser.add_argument("--test", type=Path, help="CSV of the same form: what was taken later")
        parser.add_argument(
            "--split",
            choices=WAYS,
            help="without --test: hold out each user's newest items, random ones, or the newest one (default time)",
        )
        parser.add_argument("--share", type=float, help=f"part of each history that is held out (default {SHARE})")
        parser.add_argument("--items", type=Path, help="CSV: item_id,title,category,tags,published_at")
        parser.add_argument("--k", type=int, default=10, help="length of the measured lists (default 10)")
        parser.add_argument("--recommendations", type=Path, help="write user_id,item_id,rank here (top 20)")
        parser.add_argument("--json", type=Path, help="write the metrics here")

    def handle(self, *args: Any, **options: Any) -> None:
        _check(options)
        console = Console(stderr=True)
        with (
            Progress(*COLUMNS, console=console, transient=True, disable=not console.is_terminal) as progress,
            TemporaryDirectory(prefix="recsite-split-") as folder,
        ):
            task = progress.add_task("reading", total=None)
            try:
                train, test = _files(options, Path(folder))
                result = offline.run(
                    train,
                    test,
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
        self.stdout.write(result.ranking)


def _check(options: Mapping[str, Any]) -> None:
    """Refuse what cannot be done before the work begins."""
    if not 1 <= options["k"] <= LIST_LENGTH:
        raise CommandError(f"--k must be 1..{LIST_LENGTH}, not {options['k']}.")
    for option in ("recommendations", "json"):
        path: Path | None = options[option]
        if path is not None and not path.parent.is_dir():
            raise CommandError(f"--{option}: there is no directory {path.parent}.")
    share = options["share"]
    if options["test"] and (options["split"] or share is not None):
        raise CommandError("--split and --share hold out a part of --train: they need no --test.")
    if share is not None and options["split"] == "leave-one-out":
        raise CommandError("--share does not go with --split leave-one-out, which holds out one item a user.")
    if share is not None and not 0 < share < 1:
        raise CommandError(f"--share must lie between 0 and 1, not {share:g}.")


def _files(options: Mapping[str, Any], folder: Path) -> tuple[Path, Path]:
    """Return the file to train on and the file to measure on, the latter held out of the former when there is one."""
    if options["test"]:
        return options["train"], options["test"]
    way: Way = options["split"] or "time"
    share = SHARE if options["share"] is None else options["share"]
    return split_file(options["train"], folder, way, share=share, seed=int(conf.get("SEED")))


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
