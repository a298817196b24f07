"""Storing a file of vectors, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from django.db import transaction

from catalog import embedding_files, queries
from catalog.datasets.problems import Problem, Problems
from catalog.embedding_files import Row
from catalog.embeddings import DimensionMismatch, EmbeddingError, UnknownItem, packed, space_of, store_packed
from catalog.models import EmbeddingSpace, ItemEmbedding

BATCH = 2_000
"""Vectors a statement: 8 MB at 1,024 dimensions."""
DIMENSIONS = (64, 1024)


class VectorsRefused(EmbeddingError):
    """Some rows cannot be stored, so none was."""

    code = "vectors_refused"

    def __init__(self, problems: Problems) -> None:
        super().__init__(f"Nothing was stored: {problems.counted()}.")
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What an import has written."""

    space: EmbeddingSpace
    new: int
    replaced: int


def import_embeddings(path: Path, space_name: str, *, create: bool = False, model_version: str = "") -> Stored:
    """Store the vectors of a file (see `embedding_files`) in one space, in one transaction.

    Parameters
    ----------
    create
        Make the space when there is none, as long as the first vector, compared by direction, of weight 1.
    model_version
        What computed the vectors, for the site's own bookkeeping; at most 50 characters.

    Raises
    ------
    DatasetError
        The file cannot be read at all.
    EmbeddingError
        There is no such space, or (`VectorsRefused`) a row is broken, names no item or one that an earlier row has,
        or its vector does not fit the space. Nothing is written then.
    """
    problems = Problems()
    rows = embedding_files.read(path, problems)
    seen: dict[str, int] = {}
    new = replaced = 0
    with transaction.atomic():
        space = None if create and queries.embedding_space(space_name) is None else space_of(space_name)
        while batch := list(islice(rows, BATCH)):
            space = space or _make(space_name, len(batch[0][2]))
            vectors = dict(_checked(batch, space, seen, path.name, problems))
            if not problems.total:
                stored = _write(space, vectors, model_version)
                new, replaced = new + len(vectors) - stored, replaced + stored
        if problems.total:
            raise VectorsRefused(problems)
        if space is None:
            raise EmbeddingError(f"{path.name} holds no vectors.")
    return Stored(space=space, new=new, replaced=replaced)


def _make(name: str, dimension: int) -> EmbeddingSpace:
    least, most = DIMENSIONS
    if not least <= dimension <= most:
        raise DimensionMismatch(f"A space has {least} to {most:,} dimensions, the first vector {dimension:,}.")
    return EmbeddingSpace.objects.create(name=name, dimension=dimension)


def _checked(
    batch: list[Row], space: EmbeddingSpace, seen: dict[str, int], file: str, problems: Problems
) -> Iterator[tuple[int, bytes]]:
    """Yield the item's primary key and the stored form of each good row."""
    pks = queries.pks_by_item_id(item_id for _, item_id, _ in batch if "\0" not in item_id)
    for row, item_id, vector in batch:
        try:
            if item_id not in pks:
                raise UnknownItem(f"There is no item {item_id!r}.")
            stored = packed(vector, space)
            if item_id in seen:
                raise EmbeddingError(f"Item {item_id!r} is on row {seen[item_id]} already.")
            seen[item_id] = row
            yield pks[item_id], stored
        except EmbeddingError as error:
            problems.add(Problem(file=file, row=row, code=error.code, message=str(error), item_id=item_id))


def _write(space: EmbeddingSpace, vectors: dict[int, bytes], model_version: str) -> int:
    """Insert or replace; return how many there were."""
    there = ItemEmbedding.objects.filter(space=space, item__in=vectors).count()
    store_packed(space, ((pk, vector, model_version) for pk, vector in vectors.items()))
    return there
