"""From the bytes of a request to events, with an exact complaint for every event that is not one.

Well-formed JSON is cut into events by msgspec without building them, then read one by one. An event that shows
anything out of the ordinary (an escape, a nested value, an unknown field, a wrong type) goes through
`catalog.api.json_body`: strict, exact in its complaints and several times slower. Unknown fields are ignored.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from catalog.api import json_body
from catalog.api.errors import ApiError
from interactions.contracts import EventInput
from interactions.identity import EPOCH

MOST_EVENTS = 1000
LARGEST_EVENT_BYTES = 32 * 1024
LONGEST_ID = 200
CLOCK_SKEW = timedelta(minutes=5)
LATEST = timedelta(hours=24)

_PLAIN_ID = re.compile(r"[A-Za-z0-9_.:@|/+=~#-]+")
# What broken trackers send instead of an id (the idea is PostHog's list of illegal ids).
_NOT_AN_ID = frozenset({"null", "undefined", "none", "nil", "nan", "true", "false", "[object object]"})
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)")
_TIMESTAMP_HINT = "Use RFC 3339 with an offset, e.g. 2026-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class ParsedEvent:
    """One entry of a request: an event or what is wrong with it, never both."""

    event: EventInput | None = None
    error: ApiError | None = None
    warning: str = ""
    """"clock_skew": accepted although its timestamp lies more than five minutes ahead."""


@dataclass(frozen=True, slots=True)
class ParsedBody:
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
    raws = _cut(body)
    if raws is None:
        return _parse_slowly(body, now)
    is_single = raws[0] is None
    entries = [_parse_raw(raw, now) for raw in ([body] if is_single else map(bytes, raws[1:]))]
    return ParsedBody(entries, is_single)


def _cut(body: bytes) -> list[Any] | None:
    """Return [None] for a single event, [True, raw, …] for a batch, None when the body wants a closer look."""
    try:
        if not body.isascii():
            body.decode("utf-8")
        envelope = _ENVELOPE.decode(body)
        if "events" not in envelope:
            return [None]
        if body.count(b'"events"') > 1 or b"\\" in b"".join(map(str.encode, envelope)):
            return None
        raws = _RAW_EVENTS.decode(envelope["events"])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    _check_count(len(raws))
    return [True, *raws]


_ENVELOPE = msgspec.json.Decoder(dict[str, msgspec.Raw])
_RAW_EVENTS = msgspec.json.Decoder(list[msgspec.Raw])
_UNSET = msgspec.UNSET


def _parse_slowly(body: bytes, now: datetime) -> ParsedBody:
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
    try:
        plain = _plain_fields(raw)
        if plain is not None:
            return _event(plain, now)
        value = json_body.loads(raw)
    except ApiError as error:
        return ParsedEvent(error=error)
    return _parse_value(value, now)


class _PlainEvent(msgspec.Struct):
    """What nearly every event looks like."""

    user_id: str
    item_id: str
    event_type: str
    timestamp: str | msgspec.UnsetType = msgspec.UNSET
    value: float | msgspec.UnsetType = msgspec.UNSET
    event_id: str | msgspec.UnsetType = msgspec.UNSET
    context: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    request_id: str | msgspec.UnsetType = msgspec.UNSET


_PLAIN_EVENT = msgspec.json.Decoder(_PlainEvent)


def _plain_fields(raw: bytes) -> dict[str, Any] | None:
    """Return the fields of an event with whose JSON nothing can be wrong, None when that is not certain."""
    if b"\\" in raw:
        return None
    try:
        plain = _PLAIN_EVENT.decode(raw)
    except msgspec.MsgspecError:
        return None
    fields = {name: value for name in _PlainEvent.__struct_fields__ if (value := getattr(plain, name)) is not _UNSET}
    context = fields.get("context") or {}
    numbers = 0
    if "value" in fields:
        numbers = 1
        if not -json_body.INT64 <= fields["value"] < json_body.INT64:
            return None
    strings = 2 * len(fields) - numbers - ("context" in fields) + 2 * len(context)
    # Without escapes each quotation mark ends a string; more of them mean an unknown key or one that was given twice.
    return fields if raw.count(b'"') == 2 * strings else None


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
    is_ahead = occurred_at is not None and occurred_at > now + CLOCK_SKEW
    return ParsedEvent(event, warning="clock_skew" if is_ahead else "")


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
    return moment


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
