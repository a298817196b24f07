"""What a site may write about a person, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from catalog.api.errors import ApiError
from catalog.api.json_body import type_name
from interactions import preferences
from interactions.validation import check_id

FIELDS = ("preferences", "country", "consent", "consent_version")
LONGEST_VERSION = 50
CONSENTS = ("granted", "withheld")
LARGEST_PREFERENCES_BYTES = 32 * 1024


def fields_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a JSON object that `profiles.store` takes.

    Raises
    ------
    ApiError
        Naming the first field that is unknown or unusable.
    """
    _refuse_unknown(given, FIELDS)
    fields = dict(given)
    if "preferences" in fields:
        _check_preferences(fields["preferences"])
    if "country" in fields:
        fields["country"] = _country(fields["country"])
    if "consent" in fields and fields["consent"] not in CONSENTS:
        message = f"consent must be one of {', '.join(CONSENTS)} (got {fields['consent']!r:.60})."
        raise ApiError("field_invalid", message, field="consent")
    if "consent_version" in fields:
        _check_version(fields["consent_version"])
    return fields


def merge_of(given: Mapping[str, Any]) -> tuple[str, str]:
    """Return the anonymous id and the known one. Raises ApiError naming the first field that is unusable."""
    _refuse_unknown(given, ("from", "to"))
    return check_id(given, "from"), check_id(given, "to")


def _refuse_unknown(given: Mapping[str, Any], allowed: Sequence[str]) -> None:
    for name in given:
        if name not in allowed:
            raise ApiError("field_unknown", f"There is no field {name!r}; allowed: {', '.join(allowed)}.", field=name)


def _check_version(value: Any) -> None:
    if not isinstance(value, str):
        raise ApiError("type", f"consent_version must be text, got {type_name(value)}.", field="consent_version")
    if len(value) > LONGEST_VERSION:
        message = f"consent_version has {len(value)} characters; at most {LONGEST_VERSION}."
        raise ApiError("too_long", message, field="consent_version")


def _check_preferences(value: Any) -> None:
    if not isinstance(value, dict):
        raise ApiError("type", f"preferences must be an object, got {type_name(value)}.", field="preferences")
    if len(msgspec.json.encode(value)) > LARGEST_PREFERENCES_BYTES:
        raise ApiError("too_long", "preferences are limited to 32 KB.", field="preferences")
    for kind in preferences.KINDS:
        _check_texts(f"preferences.{kind}", value.get(kind, []))


def _check_texts(field: str, value: Any) -> None:
    if not isinstance(value, list):
        raise ApiError("type", f"{field} must be a list of texts, got {type_name(value)}.", field=field)
    if len(value) > preferences.MOST:
        message = f"{field} has {len(value):,} entries; at most {preferences.MOST}."
        raise ApiError("too_long", message, field=field)
    for place, entry in enumerate(value):
        if not isinstance(entry, str):
            raise ApiError("type", f"{field}[{place}] must be text, got {type_name(entry)}.", field=f"{field}[{place}]")


def _country(value: Any) -> str:
    if not isinstance(value, str) or re.fullmatch(r"(?:[A-Za-z]{2})?", value) is None:
        message = f"country must be a two-letter ISO 3166-1 code or empty (got {value!r:.60})."
        raise ApiError("field_invalid", message, field="country")
    return value.upper()
