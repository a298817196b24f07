"""Move rows that landed in a default partition to partitions of their own."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from interactions import partitions


class Command(BaseCommand):
    """`manage.py repair_partitions`."""

    help = "Move rows that landed in a default partition to partitions of their own, and create the coming months'."

    def handle(self, *args: Any, **options: Any) -> None:
        """Repair every partitioned table."""
        for table in partitions.TABLES:
            self.stdout.write(f"{table}: {partitions.repair_default(table):,} rows moved")
        created = partitions.premake()
        self.stdout.write(f"created: {', '.join(created) or 'nothing was missing'}")
