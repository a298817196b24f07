"""`manage.py import_embeddings SPACE PATH`: vectors that were computed elsewhere."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_slug

from catalog.datasets.problems import DatasetError
from catalog.embedding_importing import VectorsRefused, import_embeddings
from catalog.embeddings import EmbeddingError


class Command(BaseCommand):
    """Parse, call `embedding_importing.import_embeddings`, render."""

    help = "Store the vectors of a file (.npz, .jsonl or .csv) in an embedding space, all or none. Safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("space", type=_name)
        parser.add_argument("path", type=Path)
        parser.add_argument("--create", action="store_true", help="Make the space when there is none.")
        parser.add_argument("--model-version", type=_short, default="", help="What computed them, for your records.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            stored = import_embeddings(
                options["path"], options["space"], create=options["create"], model_version=options["model_version"]
            )
        except VectorsRefused as error:
            listed = [str(problem) for problem in error.problems.first]
            if error.problems.total > len(listed):
                listed.append(f"… and {error.problems.total - len(listed):,} more")
            raise CommandError("\n".join([*listed, str(error)])) from error
        except (DatasetError, EmbeddingError) as error:
            raise CommandError(str(error)) from error
        space = stored.space
        self.stdout.write(
            f"{stored.new:,} new and {stored.replaced:,} replaced vectors in {space.name} "
            f"({space.dimension} dimensions, weight {space.weight:g}). The next rebuild uses them."
        )


def _name(text: str) -> str:
    try:
        validate_slug(text)
    except ValidationError as error:
        raise ArgumentTypeError(f"{text!r} is not a name of letters, digits, - and _") from error
    return _short(text)


def _short(text: str) -> str:
    if len(text) > 50:
        raise ArgumentTypeError(f"has {len(text)} characters; at most 50")
    return text
