"""Dead letters of unknown items, sent again once the items are there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from django.db import transaction

from catalog import queries as catalogue
from interactions.dead_letters import ITEM_UNKNOWN, from_payload
from interactions.models import DeadLetter
from interactions.recording import record

BATCH = 1000


def replay_dead_letters(item_ids: Iterable[str]) -> int:
    """Replay the events that waited for these items. Returns how many are stored now (new or already known).

    Safe to call for items that are still unknown or without dead letters, and twice.
    """
    known = catalogue.pks_by_item_id(item_ids)
    waiting = DeadLetter.objects.filter(code=ITEM_UNKNOWN, replayed_at=None, item_id__in=list(known))
    return replay(waiting.values_list("pk", flat=True)) if known else 0


def replay_arrived(limit: int = 10_000) -> int:
    """Replay every dead letter whose item has arrived meanwhile; looks at `limit` distinct items."""
    waiting = DeadLetter.objects.filter(code=ITEM_UNKNOWN, replayed_at=None)
    item_ids = waiting.order_by("item_id").values_list("item_id", flat=True).distinct()[:limit]
    return replay_dead_letters(list(item_ids))


def replay(pks: Iterable[int]) -> int:
    """Replay these dead letters, whatever their reason. Returns how many of the events are stored now."""
    waiting = sorted(pks)
    return sum(_replay_batch(waiting[start : start + BATCH]) for start in range(0, len(waiting), BATCH))


def _replay_batch(pks: list[int]) -> int:
    with transaction.atomic():
        letters = list(DeadLetter.objects.select_for_update(skip_locked=True).filter(pk__in=pks, replayed_at=None))
        readable, events = [], []
        for letter in letters:
            try:
                event = from_payload(letter.payload)
            except ValueError:
                continue
            # Still unknown: recording it would only write a second dead letter.
            readable.append(letter)
            events.append(event)
        known = catalogue.pks_by_item_id({event.item_id for event in events})
        pairs = [(letter, event) for letter, event in zip(readable, events, strict=True) if event.item_id in known]
        verdicts = record([event for _, event in pairs], source="replay")
        done = [letter.pk for (letter, _), verdict in zip(pairs, verdicts, strict=True) if verdict.status != "rejected"]
        DeadLetter.objects.filter(pk__in=done).update(replayed_at=datetime.now(UTC))
    return len(done)
