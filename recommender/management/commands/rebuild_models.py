"""Rebuild all models in the foreground and publish them when the gate lets them through."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from recommender.exceptions import RecommenderError
from recommender.management.rebuild_bar import rebuild_bar
from recommender.ranking.wording import sentence
from recommender.rebuilding import Rebuilt, rebuild
from recommender.registry.job_course import peak_bytes
from recommender.training.engines import NAMES


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--force", action="store_true", help="publish whatever the gate says")
        parser.add_argument("--engine", choices=NAMES, default="", help="what trains (default: as configured)")

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(stderr=True)
        with rebuild_bar(console) as show:

            def tell(stage: str) -> None:
                words = f"{stage} ({peak_bytes() / 1e6:,.0f} MB)"
                show(stage, words)
                if not console.is_terminal:
                    self.stderr.write(words)

            try:
                rebuilt = rebuild("command", force=options["force"], engine=options["engine"], progress=tell)
            except RecommenderError as error:
                raise CommandError(str(error)) from error
        self._print(rebuilt)
        if not rebuilt.published:
            raise CommandError(f"Not published: {'; '.join(rebuilt.reasons)}.")

    def _print(self, rebuilt: Rebuilt) -> None:
        if rebuilt.version is None:
            return
        version = rebuilt.version
        if rebuilt.metrics.get("final"):
            table = Table(title=f"{version.name}: a fifth of each history held out, all unseen ranked, at 10")
            table.add_column("list")
            for heading in ("NDCG", "recall", "HR", "coverage"):
                table.add_column(heading, justify="right")
            for name, metrics in {"final": rebuilt.metrics["final"], **rebuilt.metrics["sources"]}.items():
                figures = (metrics[key] for key in ("ndcg", "recall", "hit_rate", "coverage"))
                table.add_row(name, *(f"{figure:.4f}" for figure in figures))
            Console(file=sys.stdout, width=100).print(table)
            self.stdout.write(sentence(rebuilt.metrics))
        for name, recall in rebuilt.metrics["index_recall"].items():
            self.stdout.write(f"index {name}: recall@10 {recall:.3f}")
        self.stdout.write(
            f"{version.interactions} interactions of {version.users} users with {version.items} items, "
            f"{version.seconds:.1f} s, at most {peak_bytes() / 1e6:,.0f} MB"
        )
        self.stdout.write(f"gate: {'passed' if not rebuilt.reasons else '; '.join(rebuilt.reasons)}")
        if rebuilt.published:
            self.stdout.write(self.style.SUCCESS(f"published {version.name}"))
