"""Estimate what an experiment's variants would earn, from the lists that users were shown, before it is started."""

from __future__ import annotations

from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from experiments import forecast_page, forecasts
from experiments.exceptions import ExperimentError
from recommender import forecasting


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("experiment", help="its id")
        parser.add_argument("--users", type=int, default=forecasting.USERS, help="drawn at random (%(default)s)")

    def handle(self, *args: Any, experiment: str, users: int, **options: Any) -> None:
        console = Console(file=cast("IO[str]", self.stdout._out), highlight=False)
        try:
            asked = forecasts.asked_of(experiment)
        except ExperimentError as error:
            raise CommandError(str(error)) from error
        with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
            task = progress.add_task("making lists again", total=None)
            found = forecasting.forecast(
                asked, users=users, tell=lambda done, total: progress.update(task, completed=done, total=total)
            )
        page = forecast_page.page(found)
        table = Table(
            "variant", "an item shown would earn", "95 %", "change", "could have been shown", "effective rows"
        )
        for row in page.rows:
            cells = [row.estimate, row.interval, row.change, row.covered, row.effective_rows]
            table.add_row(row.variant, *([row.obstacle, "", "", "", ""] if row.obstacle else cells))
        console.print(page.basis)
        console.print(table)
