"""`manage.py simulate_audience`: people with tastes for the demo catalogue."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import track

from catalog import revisions, snapshot
from interactions import importing
from interactions.models import Event
from interactions.simulation import simulate, store_audience
from interactions.staging import ImportRunning


class Command(BaseCommand):
    """Parse, simulate, store through the bulk door."""

    help = "Store a simulated audience for the catalogue. Without --until an audience that is there is left alone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--users", type=int, default=400)
        parser.add_argument("--seed", type=int, default=7)
        parser.add_argument("--until", type=_moment, help="ISO date or time of the newest events; now when left out.")

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(file=cast("IO[str]", self.stdout._out), highlight=False)
        until: datetime | None = options["until"]
        if until is None and Event.objects.filter(user__user_id="demo-user-001").exists():
            console.print("The simulated audience is there already.")
            return
        catalogue = snapshot.load(revisions.from_database()[revisions.CATALOGUE])
        try:
            people = list(
                track(
                    simulate(catalogue, users=options["users"], seed=options["seed"]),
                    description="simulating people",
                    total=options["users"],
                    console=console,
                    disable=not console.is_terminal,
                )
            )
            counts = store_audience(catalogue, people, until or datetime.now(UTC))
        except (ValueError, ImportRunning) as error:
            raise CommandError(str(error)) from error
        importing.refresh_statistics_and_caches(counts.new)
        console.print(f"{counts.users_new:,} new users; {counts.new:,} new events, {counts.duplicate:,} already there.")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not an ISO date such as 2026-01-31") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
