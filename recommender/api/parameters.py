"""The query parameters of recommendation requests, taken strictly: a wrong one is refused by name, never guessed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from catalog.api.errors import ApiError
from recommender import participation
from recommender.serving import KINDS, MAXIMUM_LIMIT

MOST_EXCLUDED = 500
LONGEST_ID = 200
_WORD = re.compile(r"[A-Za-z0-9]+([-_][A-Za-z0-9]+)*", re.ASCII)
_VERSION = re.compile(r"[A-Za-z0-9]+([-_.+][A-Za-z0-9]+)*", re.ASCII)
LONGEST_WORD = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What the query string says; absent is "" or None."""

    kind: str
    context: str
    user_id: str
    limit: int | None
    exclude: tuple[str, ...]
    item_id: str
    expand_item: bool
    explain: bool
    language: str
    device: str
    app_version: str
    consent: bool
    cursor: str | None
    """"" for the first page of a long list; None for a list without pages."""
    variant: tuple[str, str] | None
    """(experiment, variant) that is to be shown."""


def parse(query: Mapping[str, str], accepted: Collection[str]) -> Parameters:
    """Return the parameters.

    Parameters
    ----------
    accepted
        Names that this route takes; any other is refused, so that none is silently ignored.

    Raises
    ------
    ApiError
        400 with the parameter's name as `field`: param_range, param_invalid, param_unknown, field_required, too_long.
    """
    for name in query:
        if name not in accepted:
            message = f"There is no parameter {name!r} here; there are {', '.join(sorted(accepted))}."
            raise ApiError("param_unknown", message, field=name)
    kind = query.get("type", "")
    if "type" in query and kind not in KINDS:
        raise ApiError("param_invalid", f"type must be one of {', '.join(KINDS)}, not {kind!r}.", field="type")
    item_id = identifier(query.get("item_id", ""), "item_id", may_be_empty="item_id" not in query)
    if kind == "similar" and not item_id:
        raise ApiError("field_required", "type=similar needs item_id: the item the list is about.", field="item_id")
    if query.get("expand", "item") != "item":
        raise ApiError("param_invalid", f"expand can only be 'item', not {query['expand']!r}.", field="expand")
    exclude = tuple(filter(None, (part.strip() for part in query.get("exclude", "").split(","))))
    if len(exclude) > MOST_EXCLUDED:
        raise ApiError("too_long", f"exclude names {len(exclude)} items; at most {MOST_EXCLUDED}.", field="exclude")
    limit = query.get("limit")
    return Parameters(
        kind=kind,
        context=query.get("context", ""),
        user_id=identifier(query.get("user_id", ""), "user_id", may_be_empty=True),
        limit=None if limit is None else _limit(limit),
        exclude=exclude,
        item_id=item_id,
        expand_item="expand" in query,
        explain=_flag(query.get("explain", "0"), "explain"),
        language=_word(query.get("language", ""), "language"),
        device=_word(query.get("device", ""), "device"),
        cursor=query.get("cursor"),
        app_version=_version(query.get("app_version", "")),
        consent=_flag(query.get("consent", "1"), "consent"),
        variant=_variant(query.get(participation.PARAMETER, "")),
    )


def identifier(text: str, field: str, *, may_be_empty: bool = False) -> str:
    """Return an external id as given, or refuse what cannot be one (id_invalid)."""
    if not text:
        if may_be_empty:
            return ""
        raise ApiError("id_invalid", f"{field} is empty.", field=field)
    if len(text) > LONGEST_ID:
        raise ApiError("id_invalid", f"{field} has {len(text)} characters; at most {LONGEST_ID}.", field=field)
    if not text.isprintable() or not text.strip():
        raise ApiError("id_invalid", f"{field} holds characters that cannot be printed.", field=field)
    return text


def _word(text: str, field: str) -> str:
    if text and (len(text) > LONGEST_WORD or not _WORD.fullmatch(text)):
        raise ApiError("param_invalid", f"{field} is a short word, such as en-GB or mobile.", field=field)
    return text


def _version(text: str) -> str:
    if text and (len(text) > LONGEST_WORD or not _VERSION.fullmatch(text)):
        raise ApiError("param_invalid", "app_version is short, such as 3.12.1.", field="app_version")
    return text


def _variant(text: str) -> tuple[str, str] | None:
    chosen = participation.parse(text)
    if text and chosen is None:
        raise ApiError("param_invalid", f"variant is <experiment>:<variant>, not {text[:50]!r}.", field="variant")
    return chosen


def _limit(text: str) -> int:
    message = f"limit must be 1..{MAXIMUM_LIMIT}, not {text[:20]!r}."
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= MAXIMUM_LIMIT):
        raise ApiError("param_range", message, field="limit")
    return int(text)


def _flag(text: str, field: str) -> bool:
    if text not in ("0", "1", "false", "true"):
        raise ApiError("param_invalid", f"{field} must be 0 or 1, not {text[:20]!r}.", field=field)
    return text in ("1", "true")
