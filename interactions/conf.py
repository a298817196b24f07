"""Settings of the interactions, each with its default, read when used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string


def popularity_half_life_days() -> float:
    """Return `INTERACTIONS_POPULARITY_HALF_LIFE_DAYS` (30): after so long an event counts half for popularity."""
    return float(getattr(settings, "INTERACTIONS_POPULARITY_HALF_LIFE_DAYS", 30.0))


def trending_half_life_days() -> float:
    """Return `INTERACTIONS_TRENDING_HALF_LIFE_DAYS` (2): after so long an event counts half for what is trending."""
    return float(getattr(settings, "INTERACTIONS_TRENDING_HALF_LIFE_DAYS", 2.0))


def event_key_days() -> int:
    """Return `INTERACTIONS_EVENT_KEY_DAYS` (45): how long ids given by clients are remembered."""
    return int(getattr(settings, "INTERACTIONS_EVENT_KEY_DAYS", 45))


def event_log() -> Mapping[str, Any]:
    """Return `INTERACTIONS_EVENT_LOG`: where posted events are kept first, {"BACKEND": …, "OPTIONS": {…}}."""
    default = {"BACKEND": "interactions.event_log.postgres.PostgresEventLog"}
    entry: Mapping[str, Any] = getattr(settings, "INTERACTIONS_EVENT_LOG", default)
    return entry


def also_erase() -> dict[str, Callable[[str], int]]:
    """Return the functions of `INTERACTIONS_ALSO_ERASE` ({}): what else of a person is erased with his events.

    Name in the receipt → dotted path of a function that takes the external user id and returns the rows it deleted.
    Apps above this one name theirs there, since this one cannot import them.
    """
    paths: dict[str, str] = getattr(settings, "INTERACTIONS_ALSO_ERASE", {})
    return {name: import_string(path) for name, path in paths.items()}


def also_export() -> dict[str, Callable[[str], list[dict[str, object]]]]:
    """Return the functions of `INTERACTIONS_ALSO_EXPORT` ({}): what else a person's export holds, as rows.

    Name in the export → dotted path of a function that takes the external user id.
    """
    paths: dict[str, str] = getattr(settings, "INTERACTIONS_ALSO_EXPORT", {})
    return {name: import_string(path) for name, path in paths.items()}


def retention_days() -> int | None:
    """Return `INTERACTIONS_RETENTION_DAYS` (None: for ever): how long events and impressions are kept."""
    days = getattr(settings, "INTERACTIONS_RETENTION_DAYS", None)
    return None if days is None else int(days)


def partition_by() -> str:
    """Return `INTERACTIONS_PARTITION_BY`: how recent time is cut in tables, by "month" (the default) or "day".

    Raises
    ------
    ImproperlyConfigured
        It is neither.
    """
    by = str(getattr(settings, "INTERACTIONS_PARTITION_BY", "month"))
    if by not in ("month", "day"):
        raise ImproperlyConfigured(f"INTERACTIONS_PARTITION_BY is {by!r}; it can be 'month' or 'day'.")
    return by
