"""What the viewer has done lately, newest first, as pages show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from catalog import revisions, snapshot
from interactions import event_types, features
from recommender.carousel import Card, card

VIEW = "view"

_VERBS = {
    VIEW: "Looked at",
    "click": "Opened",
    "watch": "Watched",
    "rating": "Rated",
    "like": "Liked",
    "purchase": "Bought",
    "add_to_list": "Put on the list",
    "already_seen": "Had seen",
    "not_interested": "Not interested in",
}
_INCIDENTAL = frozenset(("impression", "click"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One event of the history."""

    card: Card
    event_type: str
    verb: str
    stars: int
    """1..5 of a rating, 0 otherwise."""
    occurred_at: datetime


def without_glances(deeds: list[Deed]) -> list[Deed]:
    """Return `deeds` with one view an item, and none where the viewer has done more than look."""
    done = {deed.card.item_id for deed in deeds if deed.event_type != VIEW}
    kept = []
    for deed in deeds:
        if deed.event_type == VIEW:
            if deed.card.item_id in done:
                continue
            done.add(deed.card.item_id)
        kept.append(deed)
    return kept


def newest_of(deeds: list[Deed], event_type: str) -> list[Deed]:
    """Return the newest deed of one kind with each item."""
    found: dict[str, Deed] = {}
    for deed in deeds:
        if deed.event_type == event_type:
            found.setdefault(deed.card.item_id, deed)
    return list(found.values())


def recent_deeds(user_id: str, *, limit: int = 300, item_id: str = "") -> list[Deed]:
    """Return the newest deeds of `user_id` with items that may still be shown; with `item_id` only, when given.

    Clicks are left out: the view that follows each says the same. Nothing for "".
    """
    if not user_id:
        return []
    user, now_revisions = features.load(user_id)
    catalogue = snapshot.current(now_revisions[revisions.CATALOGUE])
    names = event_types.current(now_revisions[revisions.EVENT_TYPES]).name_by_id
    rows = catalogue.rows_of_pks(user.item_pks)
    available = catalogue.available(datetime.now(UTC).timestamp())
    deeds: list[Deed] = []
    for row, type_id, moment, value in zip(rows, user.type_ids, user.occurred_at, user.values, strict=True):
        name = names.get(int(type_id), "")
        if row < 0 or not available[row] or name in _INCIDENTAL:
            continue
        item = catalogue.cards[row]
        if item_id and item.item_id != item_id:
            continue
        deeds.append(
            Deed(
                card=card(item),
                event_type=name,
                verb=_VERBS.get(name, name.replace("_", " ").capitalize()),
                stars=min(round(float(value)), 5) if name == "rating" and value > 0 else 0,
                occurred_at=datetime.fromtimestamp(float(moment), UTC),
            )
        )
        if len(deeds) == limit:
            break
    return deeds
