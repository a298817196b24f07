"""What is shown of one item."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec
from django.conf import settings

_SCALARS = (str, int, float)
_LARGEST = 2**63


class ItemCard(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """What a carousel shows of one item, and what rules may ask of it."""

    item_id: str
    title: str
    description: str = ""
    category: str = ""
    tags: tuple[str, ...] = ()
    creators: tuple[str, ...] = ()
    image_url: str = ""
    url: str = ""
    year: int | None = None
    countries: tuple[str, ...] = ()
    language: str = ""
    attributes: dict[str, Any] = {}
    """As `plain` leaves them."""


def card_of(item: Mapping[str, Any]) -> ItemCard:
    """Return the card of an item record (columns of `catalog.models.Item`; those that are missing count as empty)."""
    published_at: datetime | None = item.get("published_at")
    return ItemCard(
        item_id=item["item_id"],
        title=item["title"],
        description=item.get("description", ""),
        category=item.get("category", ""),
        tags=tuple(item.get("tags", ())),
        creators=tuple(item.get("creators", ())),
        image_url=item.get("image_url", ""),
        url=item.get("url") or item_page(item["item_id"]),
        year=published_at.year if published_at else None,
        countries=tuple(item.get("countries", ())),
        language=item.get("language", ""),
        attributes=plain(item.get("attributes") or {}),
    )


def plain(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return what can be compared: texts, numbers, truth values and lists of these; a number beyond 64 bits as text."""
    found: dict[str, Any] = {}
    for name, value in attributes.items():
        if isinstance(value, list):
            found[name] = [_scalar(entry) for entry in value if isinstance(entry, _SCALARS)]
        elif isinstance(value, _SCALARS):
            found[name] = _scalar(value)
    return found


def _scalar(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not -_LARGEST <= value < _LARGEST else value


def item_page(item_id: str) -> str:
    """Return the address of the site's own page of an item (RECOMMENDER_ITEM_URL); the id is percent-encoded."""
    template: str = settings.RECOMMENDER_ITEM_URL
    return template.format(item_id=quote(item_id, safe=""))
