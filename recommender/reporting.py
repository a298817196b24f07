"""What pages tell of their rows: which cards were really seen, and which were opened.

A row carries a signed note of whose list it is. Whoever shows that note may report of that list and of no other; a row
of nobody in particular, or of who withholds his consent, carries none. Each report has an id that follows from the list
and the item: told twice, by `navigator.sendBeacon` and by the page that a link opened, it counts once.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

import msgspec
from django.core import signing

from interactions.contracts import EventInput, Verdict
from interactions.recording import record
from recommender.contracts import RecommendationList

CLICK, IMPRESSION = "click", "impression"
MOST_LISTS, MOST_CARDS = 50, 200
LONGEST_DAYS = 1
_SALT = "recommender.reporting"


class Card(msgspec.Struct, frozen=True):
    """One card of a report."""

    item_id: str
    position: int


class ListReport(msgspec.Struct, frozen=True):
    """What was seen and opened of one list."""

    note: str
    seen: list[Card] = []
    opened: list[Card] = []


class Report(msgspec.Struct, frozen=True):
    """What a page tells at once."""

    lists: list[ListReport]


class BadReport(Exception):
    """A report that is none. The message is for a developer."""


_decoder = msgspec.json.Decoder(Report)


def note_of(answer: RecommendationList) -> str:
    """Return the signed note that a row of this list carries, "" where nothing may be recorded of it."""
    if not answer.user_id or not answer.is_recorded:
        return ""
    return signing.dumps([str(answer.request_id), answer.user_id, answer.placement], salt=_SALT)


def take(body: bytes) -> list[Verdict]:
    """Record what a page tells; what its user has not agreed to is refused by `recording`.

    Raises
    ------
    BadReport
        When it is no `Report`, is too long, or a note is not of this site or too old.
    """
    try:
        report = _decoder.decode(body)
    except (msgspec.MsgspecError, ValueError) as error:
        raise BadReport(str(error)) from error
    if len(report.lists) > MOST_LISTS or any(len(one.seen) + len(one.opened) > MOST_CARDS for one in report.lists):
        raise BadReport(f"At most {MOST_LISTS} lists of {MOST_CARDS} cards at once.")
    return record([event for one in report.lists for event in _events(one)], source="site")


def event_of(request_id: uuid.UUID, user_id: str, event_type: str, item_id: str, context: dict[str, Any]) -> EventInput:
    """Return the one event that says that a card of a list was seen or opened."""
    return EventInput(
        user_id=user_id,
        item_id=item_id,
        event_type=event_type,
        event_id=uuid.uuid5(request_id, f"{event_type}:{item_id}"),
        context=context,
        request_id=request_id,
    )


def _events(report: ListReport) -> Iterable[EventInput]:
    try:
        request_id, user_id, placement = signing.loads(report.note, salt=_SALT, max_age=LONGEST_DAYS * 86_400)
    except signing.BadSignature as error:
        raise BadReport("A note is not of this site, or too old.") from error
    for event_type, cards in ((IMPRESSION, report.seen), (CLICK, report.opened)):
        for card in cards:
            if not 0 < len(card.item_id) <= 200 or "\0" in card.item_id:
                raise BadReport("An item id has 1 to 200 characters.")
            context = {"source": placement, "position": card.position}
            yield event_of(uuid.UUID(request_id), user_id, event_type, card.item_id, context)
