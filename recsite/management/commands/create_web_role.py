"""Make the role of Postgres that the web processes should have, and print its password once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import ProgrammingError, connection

from recsite import web_role


class Command(BaseCommand):
    """`manage.py create_web_role recsite_web`, as the role that migrates."""

    help = "Make a role that may read and write rows but change no table; its password is the last line."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the name."""
        parser.add_argument("name", help="Of the role, such as recsite_web.")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        """Make it."""
        try:
            password = web_role.create(name)
        except ValueError as error:
            raise CommandError(str(error)) from error
        except ProgrammingError as error:
            owner = connection.settings_dict["USER"]
            hint = f"If that role may make no roles, its administrator can let it: ALTER ROLE {owner} CREATEROLE."
            raise CommandError(f"Postgres refuses ({error.__cause__}). {hint}") from error
        if password is None:
            self.stderr.write(f"The role {name} is there; what it may do is as it should be.")
            return
        self.stderr.write(f"Use {name} in the DATABASE_URL of the web processes, with this password:")
        self.stdout.write(password)
