"""Reads of the catalogue for the other apps and for pages. Requests that must be quick read `catalog.snapshot`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Func, IntegerField, Q
from django.db.models.lookups import Exact
from django.utils import timezone

from catalog.item_card import ItemCard, card_of
from catalog.models import EmbeddingSpace, Item, ItemEmbedding
from catalog.postgres import reading
from catalog.records import ITEM_FIELDS

LEAST_WORD_SIMILARITY = 0.4
"""Two letters swapped in the middle of a word still match ("incpetion" scores 0.43); Postgres' default is 0.6."""

_CARD_COLUMNS = "id item_id title description category tags creators image_url url published_at".split()

# One index probe a category, whatever the number of items: https://wiki.postgresql.org/wiki/Loose_indexscan
_CATEGORIES = """
    WITH RECURSIVE step AS (
        (SELECT category FROM catalog_item ORDER BY category LIMIT 1)
        UNION ALL
        SELECT (SELECT category FROM catalog_item WHERE category > step.category ORDER BY category LIMIT 1)
        FROM step WHERE step.category IS NOT NULL
    )
    SELECT category FROM step WHERE category <> ''
"""


def item(item_id: str) -> dict[str, Any] | None:
    """Return every writable field of an item by name, None when the catalogue does not have it."""
    return Item.objects.filter(item_id=item_id).values(*ITEM_FIELDS).first()


def item_pk(item_id: str) -> int | None:
    """Return the primary key of an item, None when the catalogue does not have it."""
    return pks_by_item_id([item_id]).get(item_id)


def pks_by_item_id(item_ids: Iterable[str]) -> dict[str, int]:
    """Return external id → primary key of the items that exist, in one query."""
    wanted = list(item_ids)
    return dict(Item.objects.filter(item_id__in=wanted).values_list("item_id", "id")) if wanted else {}


def item_ids_by_pk(pks: Iterable[int]) -> dict[int, str]:
    """Return primary key → external id of the items that exist, in one query."""
    wanted = list(pks)
    return dict(Item.objects.filter(pk__in=wanted).values_list("id", "item_id")) if wanted else {}


def card(item_id: str) -> ItemCard | None:
    """Return the card of an item that may be shown now, None otherwise."""
    return next(iter(_cards(_showable().filter(item_id=item_id))), None)


def cards(*, category: str = "", limit: int = 48, offset: int = 0) -> list[ItemCard]:
    """Return the cards of the items that may be shown now, most popular first; of one category when given."""
    items = _showable().filter(category=category) if category else _showable()
    return _cards(items.order_by("-popularity", "id")[offset : offset + limit])


def cards_of(pks: list[int]) -> list[ItemCard]:
    """Return the cards of these items in the order given, in one query; those that are gone are left out."""
    rows = {row["id"]: row for row in Item.objects.filter(pk__in=pks).values(*_CARD_COLUMNS)} if pks else {}
    return [card_of(rows[pk]) for pk in pks if pk in rows]


def categories() -> list[str]:
    """Return the distinct categories in alphabetical order, without the empty one."""
    with reading.connection().cursor() as cursor:
        cursor.execute(_CATEGORIES)
        return [category for (category,) in cursor.fetchall()]


def count_items() -> int:
    """Count all items, shown or not (reads the whole index: not for requests)."""
    return Item.objects.count()


def has_items() -> bool:
    """Tell whether the catalogue has anything at all."""
    return Item.objects.exists()


def embedding_space(name: str) -> EmbeddingSpace | None:
    """Return a space by name, None when there is none."""
    return EmbeddingSpace.objects.filter(name=name).first()


def embedding_spaces() -> list[EmbeddingSpace]:
    """Return all spaces by name."""
    return list(EmbeddingSpace.objects.order_by("name"))


def embeddings(space_name: str) -> Iterable[tuple[int, bytes]]:
    """Yield (item primary key, little-endian float32 vector) of one space, ascending by key, streamed."""
    rows = ItemEmbedding.objects.filter(space__name=space_name).order_by("item_id").values_list("item_id", "vector")
    for pk, vector in rows.iterator(chunk_size=2000):
        yield pk, bytes(vector)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceCount:
    """How far a space is filled."""

    name: str
    encoder: str
    vectors: int
    unfit: int
    """Vectors that are not as long as the space says: written past `catalog.embeddings`."""


def embedding_counts() -> list[SpaceCount]:
    """Return the state of every space, by name, in one query."""
    length = Func("embeddings__vector", function="octet_length", output_field=IntegerField())
    spaces = EmbeddingSpace.objects.order_by("name").annotate(
        vectors=Count("embeddings"), unfit=Count("embeddings", filter=~Q(Exact(length, F("dimension") * 4)))
    )
    return [SpaceCount(**row) for row in spaces.values("name", "encoder", "vectors", "unfit")]


def embedding_versions(space_name: str) -> dict[int, str]:
    """Return item primary key → model version of the vectors of one space."""
    rows = ItemEmbedding.objects.filter(space__name=space_name).values_list("item_id", "model_version")
    return dict(rows.iterator(chunk_size=10_000))


def _showable() -> Any:
    now = timezone.now()
    return Item.objects.filter(
        Q(available_from=None) | Q(available_from__lte=now),
        Q(available_until=None) | Q(available_until__gt=now),
        is_active=True,
    )


def _cards(items: Any) -> list[ItemCard]:
    return [card_of(item) for item in items.values(*_CARD_COLUMNS)]
