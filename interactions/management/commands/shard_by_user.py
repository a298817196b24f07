"""Make the largest tables ready for Citus, or say what keeps them from it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from interactions import shard_obstacles, sharding


class Command(BaseCommand):
    """`manage.py shard_by_user`."""

    help = "Make the largest tables ready to be spread over machines by user with Citus. Can be run again at any time."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what is only looked at."""
        only = parser.add_mutually_exclusive_group()
        only.add_argument("--check", action="store_true", help="Change nothing; fail where something is in the way.")
        only.add_argument("--sql", action="store_true", help="Change nothing; print the statements.")
        only.add_argument("--citus", action="store_true", help="Change nothing; print what is for the coordinator.")

    def handle(self, *args: Any, check: bool, sql: bool, citus: bool, **options: Any) -> None:
        """Do or print it."""
        if sql or citus:
            for statement in sharding.sql() if sql else sharding.citus_sql():
                self.stdout.write(f"{statement};")
            return
        if not check:
            try:
                sharding.apply(lambda statement: self.stdout.write(f"{statement};"))
            except sharding.NotSharded as error:
                raise CommandError(str(error)) from error
        found = shard_obstacles.find()
        for obstacle in found:
            self.stdout.write(str(obstacle))
        if found:
            raise CommandError(f"{len(found)} obstacles: Citus would refuse these tables.")
        self.stdout.write("Nothing is in the way: the statements of --citus may be run on a coordinator.")
