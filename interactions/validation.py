"""From the bytes of a request to events, with an exact complaint for every event that is not one.

1. msgspec cuts the body into events without building them; what it cannot cut is refused by `json_body`, exactly.
2. `plain_events` reads all of them at once, or else each by itself.
3. An event that shows anything out of the ordinary goes through `json_body` and `_event`: strict, exact in its
   complaints and several times slower. Unknown fields are ignored.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from catalog.api import json_body
from catalog.api.errors import ApiError
from interactions import conf, plain_events
from interactions.contracts import EventInput
from interactions.identity import EPOCH
from interactions.plain_events import ID_LETTERS, LONGEST_ID, PLACEHOLDERS, UUID_PATTERN

MOST_EVENTS = 1000
LARGEST_EVENT_BYTES = 32 * 1024
CLOCK_SKEW = timedelta(minutes=5)
LATEST = timedelta(hours=24)

_PLAIN_ID = re.compile(f"{ID_LETTERS}+")
_NOT_AN_ID = frozenset({*PLACEHOLDERS, "[object object]"})
_UUID = re.compile(UUID_PATTERN)
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)")
_TIMESTAMP_HINT = "Use RFC 3339 with an offset, e.g. 2026-01-01T00:00:00Z"


class ParsedEvent(msgspec.Struct, frozen=True, gc=False):
    """One entry of a request: an event or what is wrong with it, never both."""

    event: EventInput | None = None
    error: ApiError | None = None
    warning: str = ""
    """"clock_skew": accepted although its timestamp lies more than five minutes ahead."""


class ParsedBody(msgspec.Struct, frozen=True):
    """A request's events in their order."""

    entries: list[ParsedEvent]
    is_single: bool
    """True for one event sent without `{"events": […]}` around it."""


def parse_events(body: bytes, *, now: datetime | None = None) -> ParsedBody:
    """Read one event or `{"events": [...]}`.

    Parameters
    ----------
    body
        Not empty, at most 2 MB (`json_body.read` sees to both).
    now
        What the timestamps are held against; None is the clock.

    Raises
    ------
    ApiError
        For what is wrong with the body as a whole: encoding_invalid, json_invalid, json_too_deep, body_type, type,
        too_many_events; key_duplicate when it is a key beside `events`.
    """
    now = now or datetime.now(UTC)
    try:
        if not body.isascii():
            body.decode("utf-8")
        envelope = _ENVELOPE.decode(body)
        if "events" not in envelope:
            return ParsedBody([_parse_raw(body, now)], is_single=True)
        events = bytes(envelope["events"])
        raws = _RAW_EVENTS.decode(events)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _parse_strictly(body, now)
    if not _is_plain_envelope(body, envelope, events):
        return _parse_strictly(body, now)
    _check_count(len(raws))
    if max((memoryview(raw).nbytes for raw in raws), default=0) <= LARGEST_EVENT_BYTES:
        plain = plain_events.read_many(events, _earliest(now), now + LATEST)
        if plain is not None:
            return ParsedBody([_accepted(event, now) for event in plain], is_single=False)
    return ParsedBody([_parse_raw(bytes(raw), now) for raw in raws], is_single=False)


_ENVELOPE = msgspec.json.Decoder(dict[str, msgspec.Raw])
_RAW_EVENTS = msgspec.json.Decoder(list[msgspec.Raw])


def _is_plain_envelope(body: bytes, envelope: Mapping[str, msgspec.Raw], events: bytes) -> bool:
    """Return whether beside `events` there is nothing that could be wrong: no escape, no container, no key twice."""

    def outside(text: str) -> int:
        return body.count(text.encode()) - events.count(text.encode())

    return not outside("\\") and all(
        outside(f'"{name}"') == 1 and (name == "events" or bytes(value)[:1] not in (b"{", b"["))
        for name, value in envelope.items()
    )


def _parse_strictly(body: bytes, now: datetime) -> ParsedBody:
    root = json_body.as_object(json_body.loads(body))
    if "events" not in root:
        return ParsedBody([_parse_value(root, now)], is_single=True)
    events = root["events"]
    if not isinstance(events, list):
        raise ApiError("type", f"events must be a list, got {json_body.type_name(events)}.", field="events")
    _check_count(len(events))
    return ParsedBody([_parse_value(event, now) for event in events], is_single=False)


def _check_count(count: int) -> None:
    if count > MOST_EVENTS:
        raise ApiError("too_many_events", f"Limit is {MOST_EVENTS:,} per request (got {count:,}).", status=413)


def _parse_raw(raw: bytes, now: datetime) -> ParsedEvent:
    if len(raw) > LARGEST_EVENT_BYTES:
        message = f"Limit is 32 KB an event (got {len(raw) / 1024:.0f} KB)."
        return ParsedEvent(error=ApiError("event_too_large", message))
    plain = plain_events.read_one(raw, _earliest(now), now + LATEST)
    if plain is not None:
        return _accepted(plain, now)
    try:
        value = json_body.loads(raw)
    except ApiError as error:
        return ParsedEvent(error=error)
    return _parse_value(value, now)


def _accepted(event: EventInput, now: datetime) -> ParsedEvent:
    is_ahead = event.occurred_at is not None and event.occurred_at > now + CLOCK_SKEW
    return ParsedEvent(event, None, "clock_skew" if is_ahead else "")


def _parse_value(value: Any, now: datetime) -> ParsedEvent:
    try:
        if not isinstance(value, dict):
            raise ApiError("type", f"An event must be an object, got {json_body.type_name(value)}.")
        found = json_body.fault(value)
        if found is not None:
            raise found
        return _event(value, now)
    except ApiError as error:
        return ParsedEvent(error=error)


def _event(fields: Mapping[str, Any], now: datetime) -> ParsedEvent:
    occurred_at = check_timestamp(fields.get("timestamp"), now)
    event = EventInput(
        user_id=check_id(fields, "user_id"),
        item_id=check_id(fields, "item_id"),
        event_type=_event_type(fields),
        occurred_at=occurred_at,
        event_id=_uuid(fields, "event_id", "event_id_invalid"),
        value=_value(fields),
        context=_context(fields),
        request_id=_uuid(fields, "request_id", "request_id_invalid"),
    )
    return _accepted(event, now)


def check_id(fields: Mapping[str, Any], name: str) -> str:
    """Return the user's or item's id of that name.

    Raises
    ------
    ApiError
        field_required, type or id_invalid, naming the field.
    """
    text = _string(fields, name)
    if _PLAIN_ID.fullmatch(text) is None:
        _check_characters(text, name)
    if len(text) > LONGEST_ID:
        raise ApiError("id_invalid", f"{name} has {len(text)} characters; at most {LONGEST_ID}.", field=name)
    if text.lower() in _NOT_AN_ID or (len(text) > 3 and not text.strip("0-")):
        raise ApiError("id_invalid", f"{name} is {text!r}, which is a placeholder and no id.", field=name)
    return text


def _check_characters(text: str, name: str) -> None:
    if not text.strip():
        raise ApiError("id_invalid", f"{name} is empty.", field=name)
    if text != text.strip():
        raise ApiError("id_invalid", f"{name} begins or ends with a space.", field=name)
    for character in text:
        # Control, format (bidi, zero-width), surrogate, private, unassigned; line and paragraph separators.
        if unicodedata.category(character)[0] == "C" or character in "\u2028\u2029":
            message = f"{name} contains the invisible character U+{ord(character):04X}."
            raise ApiError("id_invalid", message, field=name)


def check_timestamp(text: Any, now: datetime) -> datetime | None:
    """Return the moment of a timestamp, None for none.

    Raises
    ------
    ApiError
        timestamp_invalid, timestamp_future or timestamp_too_old.
    """
    if text is None:
        return None
    shown = repr(text)[:60]
    if not isinstance(text, str) or _RFC_3339.fullmatch(text) is None:
        raise ApiError("timestamp_invalid", f"{_TIMESTAMP_HINT} (got {shown}).", field="timestamp")
    try:
        moment = datetime.fromisoformat(text.upper())
        if moment.tzinfo is not UTC:
            moment = moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ApiError("timestamp_invalid", f"{_TIMESTAMP_HINT} (got {shown}).", field="timestamp") from error
    if moment > now + LATEST:
        raise ApiError("timestamp_future", f"{shown} lies more than 24 hours ahead.", field="timestamp")
    if moment < EPOCH:
        raise ApiError("timestamp_too_old", f"{shown} lies before 1970.", field="timestamp")
    if moment < _earliest(now):
        message = f"{shown} is older than the {conf.retention_days()} days that events are kept."
        raise ApiError("timestamp_too_old", message, field="timestamp")
    return moment


def _earliest(now: datetime) -> datetime:
    """Return the moment before which events are not kept."""
    days = conf.retention_days()
    return EPOCH if days is None else max(EPOCH, now - timedelta(days=min(days, (now - EPOCH).days)))


def _event_type(fields: Mapping[str, Any]) -> str:
    return _string(fields, "event_type")


def _string(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if value is None:
        raise ApiError("field_required", f"{name} is required.", field=name)
    if not isinstance(value, str):
        raise ApiError("type", f"{name} must be a string, got {json_body.type_name(value)}.", field=name)
    return value


def _uuid(fields: Mapping[str, Any], name: str, code: str) -> UUID | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or _UUID.fullmatch(value) is None:
        message = f"{name} must be a UUID such as 6f1c2f0e-9d1c-4c3e-8f55-0123456789ab (got {repr(value)[:60]})."
        raise ApiError(code, message, field=name)
    return UUID(value)


def _value(fields: Mapping[str, Any]) -> float | None:
    value = fields.get("value")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ApiError("type", f"value must be a number, got {json_body.type_name(value)}.", field="value")
    # Minus zero becomes zero: the two are one value with two representations.
    return float(value) + 0.0


def _context(fields: Mapping[str, Any]) -> Mapping[str, Any] | None:
    value = fields.get("context")
    if value is not None and not isinstance(value, dict):
        raise ApiError("type", f"context must be an object, got {json_body.type_name(value)}.", field="context")
    return value
