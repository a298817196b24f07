"""Storing the vectors that others computed: one a space and item, little-endian float32, checked before it is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from django.db import connection, transaction

from catalog import queries
from catalog.models import EmbeddingSpace, Item, ItemEmbedding

_INCOMING = "CREATE TEMP TABLE incoming (item_id bigint, vector bytea, model_version text) ON COMMIT DROP"
_STORE = """
    INSERT INTO catalog_itemembedding (item_id, space_id, vector, model_version, updated_at)
    SELECT item_id, %s, vector, model_version, now() FROM incoming ORDER BY item_id
    ON CONFLICT (item_id, space_id) DO UPDATE
    SET vector = EXCLUDED.vector, model_version = EXCLUDED.model_version, updated_at = EXCLUDED.updated_at
"""


class EmbeddingError(ValueError):
    """A vector cannot be stored.

    EmbeddingError
    ├── UnknownSpace         no space has this name
    ├── UnknownItem          the catalogue does not have the item
    ├── DimensionMismatch    the vector is not as long as the space says
    └── UnusableVector       NaN, infinite, too large for float32, or zero where only the direction counts
    """

    code = "embedding_invalid"


class UnknownSpace(EmbeddingError):
    """No space has this name."""

    code = "space_unknown"


class UnknownItem(EmbeddingError):
    """The catalogue does not have the item."""

    code = "item_unknown"


class DimensionMismatch(EmbeddingError):
    """The vector is not as long as the space says."""

    code = "dimension_mismatch"


class UnusableVector(EmbeddingError):
    """A number of the vector cannot be used."""

    code = "number_invalid"


def store(item_id: str, space_name: str, vector: Sequence[float], *, model_version: str = "") -> bool:
    """Keep `vector` as the item's one vector of the space, instead of an earlier one.

    Parameters
    ----------
    vector
        (dimension of the space,) finite numbers within float32.
    model_version
        What computed it, for the site's own bookkeeping; at most 50 characters.

    Returns
    -------
    bool
        True when the item had none in this space.

    Raises
    ------
    EmbeddingError
        One of the four above; nothing is written then.
    """
    space = space_of(space_name)
    stored = packed(vector, space)
    with transaction.atomic():
        # Locked, so that a deletion at the same time either comes first or takes the vector with it.
        item = Item.objects.select_for_update(no_key=True).filter(item_id=item_id).only("pk").first()
        if item is None:
            raise UnknownItem(f"There is no item {item_id!r}.")
        values = {"vector": stored, "model_version": model_version}
        _, created = ItemEmbedding.objects.update_or_create(item=item, space=space, defaults=values)
    return created


def store_packed(space: EmbeddingSpace, rows: Iterable[tuple[int, bytes, str]]) -> None:
    """Insert or replace the vectors of items: (primary key, stored form from `packed`, model version) each.

    Each item once; the items must exist when the surrounding transaction commits.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_INCOMING)
        # As parameters of an INSERT the vectors would travel as text: three times the time, forty times the CPU.
        with cursor.copy("COPY incoming FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int8", "bytea", "text"])
            for row in rows:
                copy.write_row(row)
        cursor.execute(_STORE, [space.pk])
        cursor.execute("DROP TABLE incoming")


def refresh(space_name: str, vectors: Mapping[int, Sequence[float]], versions: Mapping[int, str]) -> None:
    """Keep what was computed from items, by primary key; of those that are gone meanwhile nothing.

    Raises
    ------
    EmbeddingError
        A vector does not fit the space; nothing is written then.
    """
    space = space_of(space_name)
    rows = {pk: (pk, packed(vector, space), versions[pk]) for pk, vector in vectors.items()}
    with transaction.atomic():
        there = Item.objects.select_for_update(no_key=True).filter(pk__in=rows).order_by("pk")
        store_packed(space, [rows[pk] for pk in there.values_list("pk", flat=True)])


def forget(space_name: str, pks: Iterable[int]) -> None:
    """Delete the vectors of these items in one space."""
    ItemEmbedding.objects.filter(space__name=space_name, item__in=list(pks)).delete()


def space_of(name: str) -> EmbeddingSpace:
    """Return the space; UnknownSpace, naming those there are, when it does not exist."""
    space = queries.embedding_space(name)
    if space is None:
        known = ", ".join(space.name for space in queries.embedding_spaces()) or "none"
        raise UnknownSpace(f"There is no embedding space {name!r}; there are: {known}.")
    return space


def packed(vector: Sequence[float], space: EmbeddingSpace) -> bytes:
    """Return the stored form of a vector, little-endian float32.

    Raises
    ------
    DimensionMismatch, UnusableVector
        It does not fit the space; the message names space and number.
    """
    if len(vector) != space.dimension:
        raise DimensionMismatch(f"Space {space.name!r} has {space.dimension} dimensions, the vector {len(vector)}.")
    with np.errstate(over="ignore"):
        numbers = np.asarray(vector, dtype=np.float64).astype("<f4")
    finite = np.isfinite(numbers)
    if not finite.all():
        place = int(np.argmin(finite))
        raise UnusableVector(f"vector[{place}] is {vector[place]}, which is not a finite 32-bit number.")
    if space.metric == EmbeddingSpace.Metric.COSINE and not numbers.any():
        raise UnusableVector(f"Space {space.name!r} compares directions, and a vector of zeros has none.")
    return numbers.tobytes()
