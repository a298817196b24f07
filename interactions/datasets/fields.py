"""The fields of an event in a file, from text to what is stored."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from catalog.datasets.problems import Problem, shown
from catalog.records import MAX_ATTRIBUTES_BYTES, TIMESTAMP, InvalidItem, check_id, check_tree
from interactions.identity import EPOCH, microseconds_since_epoch

EventRow = tuple[str, str, str, str, str, str, str, str, str]
"""(row in the file, user_id, item_id, event type, microseconds since the epoch, value as `repr` of the float, event_id,
context JSON, request_id); the last four are "" when there is none. Texts in a plain tuple, because a million of them
are made only to be joined for COPY."""

Progress = Callable[[int], None]
"""Called now and then with the bytes read so far."""
PROGRESS_ROWS = 8192

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
CLOCK_SKEW = timedelta(hours=24)
"""A timestamp may lie this far ahead: what the sender's clock may be wrong by."""
REMEMBERED = 1_000_000
"""Ids known to be well-formed, kept so that each is checked once; about 100 MB when full."""

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_SECONDS = re.compile(r"-?\d{1,19}(\.\d{1,9})?", re.ASCII)


class InvalidEvent(ValueError):
    """A field of an event cannot be stored."""

    def __init__(self, code: str, field: str, message: str, value: object) -> None:
        super().__init__(message)
        self.code, self.field, self.message, self.value = code, field, message, value

    def problem(self, file: str, row: int, fields: dict[str, Any], column: str = "") -> Problem:
        """Return the report's entry; `fields` are the row's own, for the dead letter."""
        return Problem(
            file=file,
            row=row,
            column=column or self.field,
            code=self.code,
            message=self.message,
            value=shown(self.value),
            payload=json.dumps(fields, default=str),
            item_id=item_id if isinstance(item_id := fields.get("item_id"), str) and len(item_id) <= 200 else "",
        )


class Fields:
    """Checks and converts fields, remembering what it has seen. One for a file."""

    def __init__(self, event_types: Collection[str], now: datetime) -> None:
        self.event_types = frozenset(event_types)
        self.earliest = microseconds_since_epoch(EARLIEST)
        self.latest = microseconds_since_epoch(now + CLOCK_SKEW)
        self._latest_seconds = str(self.latest // 1_000_000)
        self.known: set[str] = set()
        """Ids that `identifier` has found well-formed."""
        self._values = {"": ""}

    def identifier(self, name: str, text: object) -> str:
        """Return an external id, checked."""
        if isinstance(text, str) and text in self.known:
            return text
        try:
            checked = check_id(name, text)
        except InvalidItem as error:
            raise InvalidEvent(error.code, name, error.message, text) from error
        if len(self.known) >= REMEMBERED:
            self.known.clear()
        self.known.add(checked)
        return checked

    def event_type(self, text: object) -> str:
        """Return the name of an event type that exists."""
        if isinstance(text, str) and text in self.event_types:
            return text
        allowed = ", ".join(sorted(self.event_types))
        raise InvalidEvent("event_type_unknown", "event_type", f"no event type {shown(text)}; allowed: {allowed}", text)

    def moment(self, text: object, column: str = "timestamp") -> str:
        """Return microseconds since the epoch from RFC 3339 with an offset, or epoch seconds (text or number)."""
        microseconds: int | None = None
        if isinstance(text, str):
            if len(text) == 10 and text.isdecimal() and text.isascii() and text < self._latest_seconds:
                return text + "000000"
            if _SECONDS.fullmatch(text):
                whole, _, fraction = text.partition(".")
                part = int(fraction[:6].ljust(6, "0")) if fraction else 0
                microseconds = int(whole) * 1_000_000 + (-part if text.startswith("-") else part)
            elif TIMESTAMP.fullmatch(text):
                microseconds = _from_rfc3339(text)
        elif isinstance(text, int | float) and not isinstance(text, bool) and math.isfinite(text):
            microseconds = round(text * 1_000_000)
        if microseconds is None:
            message = f"{column} must be RFC 3339 with an offset (2026-01-01T00:00:00Z) or seconds since 1970"
            raise InvalidEvent("timestamp_invalid", column, message, text)
        if microseconds > self.latest:
            hint = "" if ":" in str(text) else "; a number is seconds, not milliseconds"
            raise InvalidEvent("timestamp_future", column, f"{column} lies in the future{hint}", text)
        if microseconds < self.earliest:
            raise InvalidEvent("timestamp_too_old", column, f"{column} lies before {EARLIEST:%Y}", text)
        return str(microseconds)

    def value_of_text(self, text: str, column: str = "value") -> str:
        """Return a finite number in Python's spelling; "" for an empty cell."""
        known = self._values.get(text)
        if known is not None:
            return known
        if not _NUMBER.fullmatch(text):
            raise InvalidEvent("number_invalid", column, f"{column} must be a number", text)
        number = self.value_of_number(float(text), column)
        if len(self._values) < 10_000:
            self._values[text] = number
        return number

    @staticmethod
    def value_of_number(number: object, column: str = "value") -> str:
        """Return a JSON number in Python's spelling of a float; "" for null."""
        if number is None:
            return ""
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise InvalidEvent("number_invalid", column, f"{column} must be a number", number)
        try:
            value = float(number)
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            raise InvalidEvent("number_invalid", column, f"{column} must be a finite number", number)
        return repr(value)

    @staticmethod
    def uuid(name: str, text: object) -> str:
        """Return a UUID in its usual spelling; "" for null or an empty cell."""
        if text is None or text == "":
            return ""
        if isinstance(text, str) and len(text) == 36:
            try:
                return str(UUID(text))
            except ValueError:
                pass
        raise InvalidEvent(f"{name}_invalid", name, f"{name} must be a UUID of 36 characters", text)

    @staticmethod
    def context(value: object) -> str:
        """Return a context object as JSON text; "" for null."""
        if value is None:
            return ""
        if not isinstance(value, dict):
            raise InvalidEvent("type", "context", "context must be an object", value)
        try:
            check_tree("context", value)
        except InvalidItem as error:
            raise InvalidEvent(error.code, "context", error.message, error.value) from error
        text = msgspec.json.encode(value).decode()
        if len(text) > MAX_ATTRIBUTES_BYTES:
            message = f"context has {len(text):,} characters as JSON; at most {MAX_ATTRIBUTES_BYTES:,}"
            raise InvalidEvent("too_long", "context", message, text)
        return text


def _from_rfc3339(text: str) -> int | None:
    try:
        return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        return None
