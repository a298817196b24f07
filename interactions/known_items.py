"""Which items there are, as a process that records events remembers it: external id → primary key."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.db import connection

from catalog import queries as catalogue

MOST = 200_000
"""Items remembered, some 20 MB; of a larger catalogue the others are looked up each time."""


class KnownItems:
    """Remembers the items it was asked for until the catalogue's revision moves. Threads share it.

    Only items that exist are remembered: one that is unknown may arrive at any moment.
    """

    def __init__(self) -> None:
        self._held: tuple[int, dict[str, int]] = (-1, {})

    def pks(self, item_ids: Collection[str], revision: int) -> Mapping[str, int]:
        """Return external id → primary key with at least those of `item_ids` that exist (at most one query).

        Parameters
        ----------
        revision
            Of `catalog.revisions.CATALOGUE`, as it was announced.
        """
        held_revision, known = self._held
        if held_revision != revision:
            known = {}
        missing = [item_id for item_id in item_ids if item_id not in known]
        if not missing:
            return known
        found = catalogue.pks_by_item_id(missing)
        # What a transaction reads may be rolled back, and its revision be given to something else.
        if connection.in_atomic_block or len(known) + len(found) > MOST:
            return {item_id: known[item_id] for item_id in item_ids if item_id in known} | found
        known.update(found)
        self._held = (revision, known)
        return known


known_items = KnownItems()
