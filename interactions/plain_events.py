"""Events as nearly all of them look, a thousand read at once: by msgspec into columns, each column checked as one text.

What is returned is certain to be what `validation` would return, event by event and several times slower. Whatever is
not certain is left to it: an escape, a nested value, an unknown field, a field given twice, an id of unusual letters,
anything wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from catalog.api.json_body import INT64
from interactions.contracts import EventInput

LONGEST_ID = 200
ID_LETTERS = r"[A-Za-z0-9_.:@|/+=~#-]"
PLACEHOLDERS = ("null", "undefined", "none", "nil", "nan", "true", "false")
"""What broken trackers send instead of an id, in any case (the idea is PostHog's list of illegal ids)."""
UUID_PATTERN = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"

# Each takes a column with a line end behind every text.
_IDS = re.compile(rf"(?:(?!(?:(?i:{'|'.join(PLACEHOLDERS)})|[0-]{{4,}})\n){ID_LETTERS}{{1,{LONGEST_ID}}}\n)*")
_UUIDS = re.compile(rf"(?:{UUID_PATTERN}\n)*")
_TIMESTAMPS = re.compile(
    r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})\n)*"
)

Scalar = str | int | float | bool | None


class _Plain(msgspec.Struct, gc=False):
    user_id: str
    item_id: str
    event_type: str
    timestamp: str | UnsetType | None = UNSET
    value: float | UnsetType | None = UNSET
    event_id: str | UnsetType | None = UNSET
    context: dict[str, Scalar] | UnsetType | None = UNSET
    request_id: str | UnsetType | None = UNSET


_ONE = msgspec.json.Decoder(_Plain)
_MANY = msgspec.json.Decoder(list[_Plain])


def read_one(raw: bytes, earliest: datetime, latest: datetime) -> EventInput | None:
    """Return the event of a JSON object, None when it wants a closer look: one outside these moments does."""
    events = _read(raw, _ONE, earliest, latest)
    return events[0] if events else None


def read_many(raw: bytes, earliest: datetime, latest: datetime) -> list[EventInput] | None:
    """Return the events of a JSON array, None when one of them wants a closer look."""
    return _read(raw, _MANY, earliest, latest)


def _read(
    raw: bytes, decoder: msgspec.json.Decoder[Any], earliest: datetime, latest: datetime
) -> list[EventInput] | None:
    if b"\\" in raw:
        return None
    try:
        decoded = decoder.decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    plain: list[_Plain] = [decoded] if decoder is _ONE else decoded
    # Without escapes each quotation mark begins or ends a string: more of them mean a field unknown or given twice.
    if raw.count(b'"') != 2 * _count_strings(plain) or not _are_plain_contexts(plain):
        return None
    users, items = [event.user_id for event in plain], [event.item_id for event in plain]
    values = [event.value for event in plain]
    if not (_match(_IDS, users) and _match(_IDS, items) and _are_plain_values(values)):
        return None
    moments = _moments([event.timestamp for event in plain], earliest, latest)
    event_ids = _uuids([event.event_id for event in plain])
    request_ids = _uuids([event.request_id for event in plain])
    if moments is None or event_ids is None or request_ids is None:
        return None
    return list(
        map(
            EventInput,
            users,
            items,
            [event.event_type for event in plain],
            moments,
            event_ids,
            # Minus zero becomes zero: the two are one value with two representations.
            [value + 0.0 if type(value) is float else None for value in values],
            [context if type(context := event.context) is dict else None for event in plain],
            request_ids,
        )
    )


def _count_strings(plain: list[_Plain]) -> int:
    """Return how many strings are in these events, names of fields included."""
    strings = 6 * len(plain)
    for texts in (
        [event.timestamp for event in plain],
        [event.event_id for event in plain],
        [event.request_id for event in plain],
    ):
        given = [text for text in texts if text is not UNSET]
        strings += 2 * len(given) - given.count(None)
    strings += len([event for event in plain if event.value is not UNSET])
    for context in [event.context for event in plain if event.context is not UNSET]:
        strings += 1
        if context:
            strings += len(context) + len([value for value in context.values() if type(value) is str])
    return strings


def _are_plain_contexts(plain: list[_Plain]) -> bool:
    return all(
        -INT64 <= value < INT64
        for event in plain
        if type(event.context) is dict
        for value in event.context.values()
        if type(value) is int
    )


def _are_plain_values(values: Iterable[float | UnsetType | None]) -> bool:
    # What was an integer in the text is a float already, rounded perhaps to the limit.
    return all(-INT64 < value < INT64 for value in values if type(value) is float)


def _match(pattern: re.Pattern[str], texts: Sequence[str]) -> bool:
    return pattern.fullmatch("\n".join([*texts, ""])) is not None


def _moments(
    texts: Sequence[str | UnsetType | None], earliest: datetime, latest: datetime
) -> list[datetime | None] | None:
    given = [text for text in texts if type(text) is str]
    if not given:
        return [None] * len(texts)
    if not _match(_TIMESTAMPS, given):
        return None
    try:
        moments = [datetime.fromisoformat(text) for text in given]
        moments = [moment if moment.tzinfo is UTC else moment.astimezone(UTC) for moment in moments]
    except (ValueError, OverflowError):
        return None
    if min(moments) < earliest or max(moments) > latest:
        return None
    return _in_their_places(moments, texts)


def _uuids(texts: Sequence[str | UnsetType | None]) -> list[UUID | None] | None:
    given = [text for text in texts if type(text) is str]
    if not given:
        return [None] * len(texts)
    if not _match(_UUIDS, given):
        return None
    return _in_their_places(msgspec.convert(given, list[UUID]), texts)


def _in_their_places(values: list[Any], texts: Sequence[str | UnsetType | None]) -> list[Any]:
    if len(values) == len(texts):
        return values
    waiting: Iterator[Any] = iter(values)
    return [next(waiting) if type(text) is str else None for text in texts]
