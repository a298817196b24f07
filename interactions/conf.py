"""Settings of the interactions, each with its default, read when used."""

from __future__ import annotations

from django.conf import settings


def popularity_half_life_days() -> float:
    """Return `INTERACTIONS_POPULARITY_HALF_LIFE_DAYS` (30): after so long an event counts half for popularity."""
    return float(getattr(settings, "INTERACTIONS_POPULARITY_HALF_LIFE_DAYS", 30.0))


def trending_half_life_days() -> float:
    """Return `INTERACTIONS_TRENDING_HALF_LIFE_DAYS` (2): after so long an event counts half for what is trending."""
    return float(getattr(settings, "INTERACTIONS_TRENDING_HALF_LIFE_DAYS", 2.0))


def event_key_days() -> int:
    """Return `INTERACTIONS_EVENT_KEY_DAYS` (45): how long ids given by clients are remembered."""
    return int(getattr(settings, "INTERACTIONS_EVENT_KEY_DAYS", 45))
