"""What beat runs for the interactions; each task calls one door."""

from __future__ import annotations

from celery import shared_task

from catalog import revisions
from catalog.api import once
from interactions import (
    daily_figures,
    event_keys,
    explored,
    feature_rebuilding,
    partitions,
    popularity,
    presented,
    replay,
    retention,
    stale_histories,
)


@shared_task
def refresh_popularity() -> int:
    """Compute popularity and what is trending; replay events whose item has arrived. Returns the items that changed."""
    replay.replay_arrived()
    return popularity.refresh()


@shared_task
def count_explored() -> int:
    """Count how often exploration has shown each new item, and each title and picture. Returns the number of items."""
    return explored.refresh() + presented.refresh()


@shared_task
def count_daily_figures() -> int:
    """Count what the last days' impressions came to. Returns how many days."""
    return daily_figures.refresh()


@shared_task
def announce_revisions() -> int:
    """Copy the revisions to Redis and drop the histories it was not told about. Returns how many."""
    revisions.announce_all()
    return stale_histories.mend()


@shared_task
def refill_features() -> int:
    """Fill Redis again when it has lost what it knew, once if called twice. Returns how many users were stored."""
    return feature_rebuilding.rebuild_after_a_loss()


@shared_task
def maintain_partitions() -> list[str]:
    """Create the coming months' partitions, drop those past retention, sound an alarm for stray rows, forget old event
    ids and answers. Returns the names created."""
    created = partitions.premake()
    retention.drop_old()
    partitions.alarm()
    event_keys.purge()
    once.forget_old()
    return created


@shared_task
def replay_dead_letters(item_ids: list[str]) -> int:
    """Replay the events that waited for these items. Returns how many are stored now."""
    return replay.replay_dead_letters(item_ids)
