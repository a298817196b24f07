"""Let the demo's simulated audience visit the home page, one after the other, until stopped."""

from __future__ import annotations

import time
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from catalog import revisions, snapshot
from interactions import impressions
from recommender.exceptions import RecommenderError
from recsite.demo.visits import Visits


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--users", type=int, default=400, help="of the audience (%(default)s)")
        parser.add_argument("--seed", type=int, default=7, help="that of the audience (%(default)s)")
        parser.add_argument("--every", type=float, default=10.0, help="seconds between two visits (%(default)s)")
        parser.add_argument("--visits", type=int, help="how many; without end by default")

    def handle(self, *args: Any, users: int, seed: int, every: float, visits: int | None, **options: Any) -> None:
        try:
            site = Visits(snapshot.load(revisions.from_database()[revisions.CATALOGUE]), users=users, seed=seed)
        except ValueError as error:
            raise CommandError(str(error)) from error
        done = 0
        for number, person in enumerate(islice(site.people(), visits)):
            if number:
                time.sleep(every)
            try:
                done += len(site.visit(person, timezone.now().date()))
            except RecommenderError as error:
                # What fails is served again when it is back; a visitor goes away.
                self.stderr.write(str(error))
        impressions.sender.flush()
        self.stdout.write(f"{visits} visits, {done} events.")
