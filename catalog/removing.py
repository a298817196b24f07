"""Taking an item out of the catalogue for good; `is_active` is the way to hide one for a while."""

from __future__ import annotations

from catalog.models import Item


def remove_item(item_id: str) -> bool:
    """Delete an item with its vectors and the rules about it; its events stay. False when there was none.

    It is gone from every list on the next request.
    """
    _, deleted = Item.objects.filter(item_id=item_id).delete()
    return bool(deleted.get("catalog.Item"))
