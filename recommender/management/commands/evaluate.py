"""Measure the engine on files of one's own: train, rank every unseen item, print NDCG and the rest."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from recommender.exceptions import RecommenderError
from recommender.training import offline
from recommender.training.evaluation import LIST_LENGTH
from recommender.training.metrics import Metrics

COLUMNS = {
    "NDCG": "ndcg",
    "recall": "recall",
    "precision": "precision",
    "MAP": "average_precision",
    "MRR": "reciprocal_rank",
    "HR": "hit_rate",
    "coverage": "coverage",
}


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
            }
            options["json"].write_text(json.dumps(report, indent=2) + "\n")
        self._print(options["k"], evaluation.final, evaluation.sources)

    def _print(self, k: int, final: Metrics, sources: dict[str, Metrics]) -> None:
        table = Table(title=f"{final.users} users, every unseen item ranked, at {k}")
        table.add_column("list")
        for heading in COLUMNS:
            table.add_column(heading, justify="right")
        for name, metrics in {"final": final, **sources}.items():
            table.add_row(name, *(f"{getattr(metrics, field):.4f}" for field in COLUMNS.values()))
        Console(file=sys.stdout, width=120).print(table)
