"""Let the version that served before serve again, or another one that is ready: from the next request on."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recommender.exceptions import RecommenderError
from recommender.registry import publishing


class Command(BaseCommand):
    help = __doc__
    # Somebody is in a hurry, and the checks take seconds.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("version", nargs="?", help="such as v7; the one before by default")

    def handle(self, *args: Any, version: str | None, **options: Any) -> None:
        try:
            serving = publishing.rollback(version)
        except RecommenderError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{serving.name} serves.")
