"""Items' other titles and pictures in memory: one copy a process, read anew when somebody has edited one.

Who is shown which is decided where lists are made (`recommender.presenting`).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from catalog.item_card import ItemCard
from catalog.models import ItemPresentation
from catalog.process_copy import ProcessCopy

OWN = 0
"""Stands for the title and picture of the item itself."""
MOST = 9
"""Others of one item: so many can still be told apart by what people take."""


class Presentation(msgspec.Struct, frozen=True, kw_only=True):
    """One other title or picture of an item."""

    pk: int
    title: str
    image_url: str
    """"" is the item's own."""

    def on(self, card: ItemCard) -> ItemCard:
        """Return the item's card as it is presented."""
        return msgspec.structs.replace(card, title=self.title or card.title, image_url=self.image_url or card.image_url)


Presentations = Mapping[int, Mapping[int, Presentation]]
"""Primary key of an item → primary key → its active presentations besides its own, in order; MOST at most."""


def load() -> Presentations:
    """Read all of them from Postgres (one query)."""
    found: dict[int, dict[int, Presentation]] = {}
    rows = ItemPresentation.objects.filter(is_active=True).order_by("id").values("item_id", "pk", "title", "image_url")
    for row in rows.iterator(chunk_size=5000):
        of_item = found.setdefault(row.pop("item_id"), {})
        if len(of_item) < MOST:
            of_item[row["pk"]] = Presentation(**row)
    return found


_copy = ProcessCopy[Presentations](lambda revision, earlier: load())


def current(revision: int) -> Presentations:
    """Return this process's, read anew when they are not of `revision` (that of `revisions.PRESENTATIONS`)."""
    return _copy.at(revision)
