"""What comparing leaves behind: one row a list, kept for a week, and what went wrong, counted on the shadow's row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from catalog.queries import item_ids_by_pk
from recommender.models import Shadow, ShadowList

KEPT_DAYS = 7
LONGEST = 20
"""Items kept of each list."""


def store(lists: Sequence[ShadowList], dropped: Mapping[int, int], failed: Mapping[int, Sequence[str]]) -> None:
    """Write compared lists, and by shadow how many were dropped and why others failed. One transaction."""
    with transaction.atomic():
        ShadowList.objects.bulk_create(lists)
        for shadow, count in dropped.items():
            Shadow.objects.filter(pk=shadow).update(dropped=F("dropped") + count)
        for shadow, errors in failed.items():
            Shadow.objects.filter(pk=shadow).update(
                failed=F("failed") + len(errors), error=errors[-1][:1000], failed_at=timezone.now()
            )


def forget_old() -> int:
    """Delete the lists that are older than KEPT_DAYS; return how many."""
    return ShadowList.objects.filter(shown_at__lt=timezone.now() - timedelta(days=KEPT_DAYS)).delete()[0]


def erase(user_id: str) -> int:
    """Delete every list of a person who asked to be forgotten; return how many.

    What waits in a web process, a second's worth, is written afterwards and goes within KEPT_DAYS.
    """
    return ShadowList.objects.filter(user_id=user_id).delete()[0]


def export(user_id: str) -> list[dict[str, object]]:
    """Return a person's lists (he asked what is stored of him), oldest first; items by their external ids."""
    rows = list(ShadowList.objects.filter(user_id=user_id).order_by("shown_at", "pk"))
    item_ids = item_ids_by_pk({pk for row in rows for pk in (*row.live_items, *row.shadow_items)})
    return [
        {
            "request_id": row.request_id,
            "placement": row.placement,
            "shown_at": row.shown_at,
            "items": [item_ids.get(pk) for pk in row.live_items],
            "shadow_items": [item_ids.get(pk) for pk in row.shadow_items],
        }
        for row in rows
    ]
