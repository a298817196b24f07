"""Say how many machines a site of a given size needs."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from recsite import capacity
from recsite.capacity import Site, Tier

REQUIRED = {
    "users": "People known.",
    "items": "Items of the catalogue.",
    "events_per_day": "Events of a day.",
    "peak_qps": "Lists a second in the busiest minute.",
}


class Command(BaseCommand):
    """`manage.py plan --users N --items N --events-per-day N --peak-qps N [--repeated 0.3 …]`."""

    help = "Say how many machines, how much memory, disk and network a site needs, from costs that were measured."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add one option a number of `Site`."""
        for field in fields(Site):
            kind = int if field.type == "int" else float
            option = f"--{field.name.replace('_', '-')}"
            if field.default is MISSING:
                parser.add_argument(option, type=kind, required=True, help=REQUIRED[field.name])
            else:
                parser.add_argument(option, type=kind, default=field.default, help=f"Assumed: {field.default}.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the tiers, what comes first, what was assumed, and where each cost is from."""
        site = Site(**{field.name: options[field.name] for field in fields(Site)})
        try:
            tiers = capacity.plan(site)
        except ValueError as error:
            raise CommandError(str(error)) from error
        console = Console(file=cast(IO[str], self.stdout), width=None if self.stdout.isatty() else 120)
        console.print(_table(tiers))
        first = capacity.first_limit(tiers, site.copies)
        told = f"What comes first: {first.name}, for {first.limit}" if first else "One machine of each holds it"
        console.print(f"{told}.\n")
        assumed = [f"{field.name} {getattr(site, field.name)}" for field in fields(Site) if field.name not in REQUIRED]
        console.print(f"Assumed: {', '.join(assumed)}.\n")
        for coefficient in capacity.COEFFICIENTS:
            console.print(f"{coefficient.value:g} {coefficient.unit}: {coefficient.row}", highlight=False)


def _table(tiers: list[Tier]) -> Table:
    table = Table("tier", "machines", "limit", "cores", "memory GB", "disk TB", "network Gb/s", "")
    for tier in tiers:
        amounts = (tier.cores, tier.memory_gb, tier.disk_tb, tier.network_gbps)
        table.add_row(
            tier.name, f"{tier.machines:,}", tier.limit, *(f"{amount:,.1f}" if amount else "" for amount in amounts),
            tier.note,
        )  # fmt: skip
    return table
