"""`manage.py export_events FOLDER`: the events as files of Parquet."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from interactions import event_files


class Command(BaseCommand):
    """Parse, call `event_files`, say what was written."""

    help = "Write the events as Parquet into a folder or an object store (s3://bucket/events), for training on Spark."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", help="A path, or an address of fsspec's.")

    def handle(self, *args: Any, folder: str, **options: Any) -> None:
        try:
            total = event_files.export(folder, lambda name, events: self.stdout.write(f"{name}: {events:,}"))
        except event_files.NotExported as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{total:,} events in {folder}")
