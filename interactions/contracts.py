"""What enters and leaves `recording`, and what `impressions` notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec


class EventInput(msgspec.Struct, frozen=True, gc=False):
    """One event as its sender tells it. Strings are free of NUL and lone surrogates, ids at most 200 characters."""

    # No dataclass: a thousand frozen ones take 4 ms to make, a thousand of these 0.2 ms.

    user_id: str
    item_id: str
    event_type: str
    """Name of an `EventType`."""
    occurred_at: datetime | None = None
    """Aware. None: the moment it is recorded."""
    event_id: UUID | None = None
    """None: derived from the content (`identity`)."""
    value: float | None = None
    """A rating, a price, seconds watched; finite."""
    context: Mapping[str, Any] | None = None
    request_id: UUID | None = None
    """The recommendation request that led to it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one event."""

    status: Literal["accepted", "duplicate", "rejected"]
    code: str = ""
    """Why it was rejected: item_unknown, event_type_unknown, id_conflict, consent_withheld; else ""."""
    message: str = ""


ACCEPTED = Verdict("accepted")
DUPLICATE = Verdict("duplicate")


class ServedItem(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One item of a served list."""

    item_pk: int
    position: int
    """0 is first."""
    source: str
    propensity: float = 1.0
    """Probability with which the policy showed it here; 0 where it is not known."""
    variant: str = ""
    """Whose place it is in a list that mixes several variants; "" is the list's."""
    presentation: int | None = None
    """Under which title and picture of several: a primary key, 0 for the item's own; None where it has but its own."""
    presentation_propensity: float = 1.0
    """Probability with which it was shown under these."""


class ServedList(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One list as it was shown."""

    request_id: UUID
    shown_at: float
    """POSIX seconds."""
    user_id: str
    placement: str
    model_version: str
    rules_version: int
    experiment_id: str = ""
    phase: int | None = None
    variant: str = ""
    device: str = ""
    app_version: str = ""
    """What the request says of them, at most 20 characters each; "" when nothing."""
    items: tuple[ServedItem, ...] = ()
