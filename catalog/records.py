"""An item as it arrives from outside (a data set, the API), checked field by field before the database sees it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

MAX_TEXT = 100_000
"""Characters of a description: ten times the longest plot summary, small enough to hold a batch in memory."""
MAX_LIST = 1_000
MAX_ATTRIBUTES_BYTES = 32_768
MAX_DEPTH = 32
MAX_MINUTES = 2**31 - 1
"""Postgres' integer."""

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")
DATE = re.compile(r"\d{4}-\d\d-\d\d")
VISIBLE = r"[^\s\u001c-\u001f\u0085\ufeff]"
"""A character of a title that is not empty, for the API's document too: `\\s` is not the same in both."""
_VISIBLE = re.compile(VISIBLE)
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


class InvalidItem(ValueError):
    """A field of an item cannot be stored.

    `code` is what the API shows, `field` the column, `value` what was received, `index` the place in a batch (or None).
    """

    def __init__(self, code: str, field: str, message: str, value: object = None, index: int | None = None) -> None:
        super().__init__(message)
        self.code, self.field, self.message, self.value, self.index = code, field, message, value, index


class ItemRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One valid item. A field left out (UNSET) means "as it is": an existing item keeps it, a new one gets the default.

    Make one with `item_record`, which checks; the constructor does not.
    """

    item_id: str
    title: str
    description: str | UnsetType = UNSET
    category: str | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET
    creators: list[str] | UnsetType = UNSET
    language: str | UnsetType = UNSET
    countries: list[str] | UnsetType = UNSET
    image_url: str | UnsetType = UNSET
    url: str | UnsetType = UNSET
    duration_minutes: int | UnsetType | None = UNSET
    published_at: datetime | UnsetType | None = UNSET
    available_from: datetime | UnsetType | None = UNSET
    available_until: datetime | UnsetType | None = UNSET
    is_active: bool | UnsetType = UNSET
    attributes: dict[str, Any] | UnsetType = UNSET


def item_record(fields: Mapping[str, Any], *, index: int | None = None) -> ItemRecord:
    """Check an item's fields (JSON values; dates as text or aware datetimes) and return the record.

    Raises
    ------
    InvalidItem
        On the first field that is unknown, missing, of the wrong type, too long or not storable.
    """
    try:
        for name in fields:
            if name not in _CHECKS:
                allowed = ", ".join(_CHECKS)
                raise InvalidItem("field_unknown", str(name), f"{name!r} is not a field of an item; allowed: {allowed}")
        for name in ("item_id", "title"):
            if name not in fields:
                raise InvalidItem("field_required", name, f"{name} is missing")
        record = ItemRecord(**{name: _CHECKS[name](name, value) for name, value in fields.items()})
        start, end = record.available_from, record.available_until
        if isinstance(start, datetime) and isinstance(end, datetime) and start >= end:
            raise InvalidItem("field_invalid", "available_until", "available_until is not after available_from")
        return record
    except InvalidItem as error:
        error.index = index
        raise


def check_id(name: str, value: object) -> str:
    """Return `value` when it can be an external id: 1..200 visible characters without outer blanks."""
    text = check_text(name, value, 200)
    if not text:
        raise InvalidItem("id_invalid", name, f"{name} is empty", value)
    if text != text.strip():
        raise InvalidItem("id_invalid", name, f"{name} begins or ends with a blank", value)
    if not text.isascii() or not text.isprintable():
        # Control, format (zero-width, bidi) and separator characters make two ids look alike.
        for character in text:
            if unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp"):
                raise InvalidItem("id_invalid", name, f"{name} contains the character U+{ord(character):04X}", value)
    return text


def check_text(name: str, value: object, limit: int) -> str:
    """Return `value` when it is text of at most `limit` characters that Postgres can hold."""
    if not isinstance(value, str):
        raise InvalidItem("type", name, f"{name} must be text, got {_kind(value)}", value)
    if "\0" in value:
        raise InvalidItem("string_nul", name, f"{name} contains a NUL character", value)
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise InvalidItem("string_surrogate", name, f"{name} contains a lone surrogate", value)
    if len(value) > limit:
        raise InvalidItem("too_long", name, f"{name} has {len(value):,} characters; at most {limit:,}", value)
    return value


def check_moment(name: str, value: object) -> datetime:
    """Return an aware datetime from an aware one, RFC 3339 text with an offset, or a bare date (midnight UTC)."""
    moment: datetime | None = None
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, str):
        try:
            if TIMESTAMP.fullmatch(value):
                # In UTC, as Postgres keeps it: at either end of the calendar an offset leaves what Python can hold.
                moment = datetime.fromisoformat(value).astimezone(UTC)
            elif DATE.fullmatch(value):
                moment = datetime.fromisoformat(value).replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            pass
    if moment is None or moment.tzinfo is None:
        message = f"{name} must be a date or RFC 3339 with an offset, such as 1999-03-31 or 1999-03-31T20:00:00Z"
        raise InvalidItem("timestamp_invalid", name, message, value)
    return moment


def _kind(value: object) -> str:
    kinds = {str: "text", bool: "true/false", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return "null" if value is None else kinds.get(type(value), type(value).__name__)


def _text(limit: int) -> Callable[[str, object], str]:
    return lambda name, value: check_text(name, value, limit)


def _title(name: str, value: object) -> str:
    text = check_text(name, value, 500).strip()
    if not _VISIBLE.search(text):
        raise InvalidItem("field_required", name, f"{name} is empty", value)
    return text


def _list(limit: int) -> Callable[[str, object], list[str]]:
    def check(name: str, value: object) -> list[str]:
        if not isinstance(value, list):
            raise InvalidItem("type", name, f"{name} must be a list of texts, got {_kind(value)}", value)
        if len(value) > MAX_LIST:
            raise InvalidItem("too_long", name, f"{name} has {len(value):,} entries; at most {MAX_LIST:,}", value)
        entries = [check_text(f"{name}[{place}]", entry, limit).strip() for place, entry in enumerate(value)]
        return list(dict.fromkeys(filter(None, entries)))

    return check


def _countries(name: str, value: object) -> list[str]:
    entries = [entry.upper() for entry in _list(100)(name, value)]
    for entry in entries:
        if not (len(entry) == 2 and entry.isascii() and entry.isalpha()):
            raise InvalidItem("field_invalid", name, f"{name} takes two-letter codes, got {entry!r}", value)
    return list(dict.fromkeys(entries))


def _language(name: str, value: object) -> str:
    text = check_text(name, value, 16)
    if text and not _LANGUAGE.fullmatch(text):
        raise InvalidItem("field_invalid", name, f"{name} takes a tag such as en or pt-BR, got {text!r}", value)
    return text


def _web_address(limit: int) -> Callable[[str, object], str]:
    def check(name: str, value: object) -> str:
        text = check_text(name, value, limit)
        # Anything else (javascript:, data:) would run or load in the visitor's page.
        if text and not (text.startswith(("http://", "https://")) or (text[0] == "/" and text[:2] != "//")):
            message = f"{name} must begin with https://, http:// or a single /, got {text[:100]!r}"
            raise InvalidItem("field_invalid", name, message, value)
        if any(character.isspace() or not character.isprintable() for character in text):
            raise InvalidItem("field_invalid", name, f"{name} contains a blank or control character", value)
        return text

    return check


def _minutes(name: str, value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidItem("type", name, f"{name} must be a whole number, got {_kind(value)}", value)
    if not 0 <= value <= MAX_MINUTES:
        raise InvalidItem("number_out_of_range", name, f"{name} must be 0..{MAX_MINUTES:,}, got {value}", value)
    return value


def _optional_moment(name: str, value: object) -> datetime | None:
    return None if value is None or value == "" else check_moment(name, value)


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidItem("type", name, f"{name} must be true or false, got {_kind(value)}", value)
    return value


def _attributes(name: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidItem("type", name, f"{name} must be an object, got {_kind(value)}", value)
    check_tree(name, value)
    size = len(msgspec.json.encode(value))
    if size > MAX_ATTRIBUTES_BYTES:
        raise InvalidItem("too_long", name, f"{name} has {size:,} bytes as JSON; at most {MAX_ATTRIBUTES_BYTES:,}")
    return value


def check_tree(name: str, value: object, depth: int = MAX_DEPTH) -> None:
    """Check a JSON value through and through: depth, texts that Postgres can hold, finite numbers."""
    if depth < 0:
        raise InvalidItem("json_too_deep", name, f"{name} is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        for key, entry in value.items():
            check_text(f"a key of {name}", key, 200)
            check_tree(f"{name}.{key}", entry, depth - 1)
    elif isinstance(value, list):
        for place, entry in enumerate(value):
            check_tree(f"{name}[{place}]", entry, depth - 1)
    elif isinstance(value, str):
        check_text(name, value, MAX_TEXT)
    elif isinstance(value, float) and value - value != 0.0:
        raise InvalidItem("number_invalid", name, f"{name} is not a finite number", value)
    elif not isinstance(value, int | float | None):
        raise InvalidItem("type", name, f"{name} holds {_kind(value)}, which JSON has not", value)


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "item_id": check_id,
    "title": _title,
    "description": _text(MAX_TEXT),
    "category": _text(100),
    "tags": _list(100),
    "creators": _list(200),
    "language": _language,
    "countries": _countries,
    "image_url": _web_address(1000),
    "url": _web_address(1000),
    "duration_minutes": _minutes,
    "published_at": _optional_moment,
    "available_from": _optional_moment,
    "available_until": _optional_moment,
    "is_active": _flag,
    "attributes": _attributes,
}
ITEM_FIELDS = tuple(_CHECKS)
"""Every field an item may have, in the table's order."""


def check_image_url(address: str) -> None:
    """Raise InvalidItem where an item could not have this picture; "" is none."""
    _CHECKS["image_url"]("image_url", address)
