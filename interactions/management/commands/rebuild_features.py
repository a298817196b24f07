"""`manage.py rebuild_features [--user ID] [--most N]`: fill Redis from Postgres."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from interactions import feature_rebuilding
from interactions.management.progress import progress_bars
from interactions.redis_breaker import RedisAway


class Command(BaseCommand):
    """Parse, call `feature_rebuilding`, render."""

    help = (
        "Fill Redis from Postgres: users (active last first), popularity, what was explored. Safe to repeat and stop."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", metavar="ID", help="Only this user, whatever Redis holds of him.")
        parser.add_argument("--most", type=int, metavar="N", help="Only the N users who were active last.")

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(file=cast("IO[str]", self.stdout._out), highlight=False)
        try:
            if options["user"] is not None:
                feature_rebuilding.rebuild_user(options["user"])
                stored = 1
            else:
                with progress_bars(console) as progress:
                    stored = feature_rebuilding.rebuild(progress, most=options["most"])
        except RedisAway as error:
            raise CommandError(f"Redis cannot be filled: {error}") from error
        console.print(f"{stored:,} users stored; Redis holds the others that were asked for already.")
