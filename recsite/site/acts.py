"""What a visitor can do with an item, and how it is recorded."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from interactions.recording import EventInput, Verdict, record
from recommender.reporting import CLICK, event_of
from recsite.site import demo_user
from recsite.site.origin import Origin


@dataclass(frozen=True, slots=True)
class Act:
    """One button: the event type it records and what the page says afterwards."""

    event_type: str
    confirmation: str
    """`{title}` stands for the item's title."""


ACTS = {
    "watch": Act("watch", "Marked as watched: {title}"),
    "like": Act("like", "You like {title}. More like it will follow."),
    "not-interested": Act("not_interested", "We will not suggest {title} again."),
    "already-seen": Act("already_seen", "Noted that you have seen {title}."),
    "rate": Act("rating", "You gave {title} {stars}."),
}
RATINGS = {"1": "one star", "2": "two stars", "3": "three stars", "4": "four stars", "5": "five stars"}


def record_act(request: HttpRequest, item_id: str, act: Act, origin: Origin | None, value: float | None) -> Verdict:
    """Record one event of the viewer, who must not have refused tracking."""
    return record([_event(request, item_id, act.event_type, origin, value)], source="site")[0]


def record_visit(request: HttpRequest, item_id: str, origin: Origin | None, *, is_new: bool) -> None:
    """Record the click on a card that led to an item's page, and the view when the visit is a new one.

    The click is the one that the carousel's script may have told of: it counts once, also after a reload.
    """
    events = []
    if origin is not None:
        user_id = demo_user.acting_user_id(request)
        events.append(event_of(origin.request_id, user_id, CLICK, item_id, origin.context))
    if is_new:
        events.append(_event(request, item_id, "view", origin))
    record(events, source="site")


def _event(
    request: HttpRequest, item_id: str, event_type: str, origin: Origin | None, value: float | None = None
) -> EventInput:
    request_id: UUID | None = origin.request_id if origin else None
    return EventInput(
        user_id=demo_user.acting_user_id(request),
        item_id=item_id,
        event_type=event_type,
        occurred_at=timezone.now(),
        value=value,
        context=origin.context if origin else {"source": "site"},
        request_id=request_id,
    )
