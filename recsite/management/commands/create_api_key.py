"""Create an API key and print it once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recsite import api_keys, user_signatures
from recsite.models import ApiKey


class Command(BaseCommand):
    """`manage.py create_api_key NAME --scope read events [--origin https://www.example.org] [--rate 6000]`."""

    help = "Create an API key with the given scopes; it is printed once, alone on the last line."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the name and the scopes (both `--scope a b` and `--scope a --scope b`)."""
        parser.add_argument("name", help="Whose key it is, for people.")
        parser.add_argument(
            "--scope", nargs="+", action="extend", required=True, help=f"Any of: {', '.join(ApiKey.Scope.values)}."
        )

        parser.add_argument(
            "--origin",
            nargs="+",
            action="extend",
            default=[],
            help="Make it publishable: for pages of these origins, as https://www.example.org.",
        )

        parser.add_argument(
            "--rate", type=int, help="Requests a minute; without it RATE_LIMITS has the number for its kind."
        )

    def handle(
        self, *args: Any, name: str, scope: list[str], origin: list[str], rate: int | None, **options: Any
    ) -> None:
        """Create the key and print it."""
        try:
            key = api_keys.create(name, scope, origin, rate)
        except ValueError as error:
            raise CommandError(str(error)) from error
        may = f"Key {name!r} may: {', '.join(dict.fromkeys(scope))}"
        if origin:
            secret = user_signatures.signing_secret(key.split("_")[1])
            self.stderr.write(f"{may}; on pages of {', '.join(dict.fromkeys(origin))}.")
            self.stderr.write(f"Your servers sign the ids of your own users with this secret: {secret}")
        else:
            self.stderr.write(f"{may}. It is shown only now:")
        self.stdout.write(key)
