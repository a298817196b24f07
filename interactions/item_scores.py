"""What each item's popularity and trending add up to, kept up to date by counting only what came in since.

A score is Σ over users of weight · 2^((moment − landmark) / half-life), a user counting once an item (and country) by
his strongest event: forward decay (Cormode et al. 2009, "Forward Decay: A Practical Time Decay Model for Streaming
Systems"). Told forward from a landmark instead of back from now, what an event weighs never changes again, so sums can
be kept.

    received before       ├──────── settled ────────┤├─── settles now ───┤├──── open ────▶
                                 in ItemScore          added to it         counted anew each time

Only what was received before every transaction under way began is settled: whatever commits late is still open.
Writers therefore take `received_at` inside their transaction; their clocks may differ from the database's by SKEW.

Everything is counted from scratch when the definitions have changed, when events were changed or removed (triggers
note it in OwedCount: erasing, merging, raw SQL), and when the data has moved on by a day: then the window moves too.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection

from interactions import conf, queries, score_changes
from interactions.identity import EPOCH
from interactions.models import EventType, ItemScore, OwedCount, ScoreCount

SKEW = timedelta(minutes=1)
WINDOW_MOVES_AFTER = timedelta(days=1)
SHARE_FOR_OWED_COUNTS = 0.1
"""Of the time. On a large site visitors are merged all the time, and counting everything takes a while."""

_OLDEST_TRANSACTION = """
    SELECT least(clock_timestamp(), min(xact_start)) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend'
"""
_NEWEST = "SELECT greatest(%s, max(occurred_at)) FROM interactions_event WHERE received_at >= %s"
_SETTLE = """
    INSERT INTO interactions_itemscore AS kept (item_id, country, popularity, trending)
    SELECT item_id, country, popularity, trending FROM score_change
    ON CONFLICT (item_id, country) DO UPDATE
    SET popularity = kept.popularity + excluded.popularity, trending = kept.trending + excluded.trending
"""

POPULARITY = """
    SELECT item_id, coalesce(min(kept.popularity), 0) + coalesce(sum(change.popularity) FILTER (WHERE NOT settles), 0)
        AS score
    FROM score_change change LEFT JOIN interactions_itemscore kept USING (item_id, country)
    WHERE country = '' GROUP BY item_id
"""
"""SELECT of `item_id`, `score` of the items that the last `count` found news of."""
TRENDING = """
    SELECT item_id, country, sum(score) AS score FROM (
        SELECT item_id, country, trending AS score FROM interactions_itemscore WHERE trending > 0
        UNION ALL SELECT item_id, country, trending FROM score_change WHERE NOT settles AND trending > 0
    ) part GROUP BY item_id, country
"""
"""SELECT of `item_id`, `country` ('' = everywhere), `score` > 0 of all items, after `count`."""
POPULARITY_AS_OF = "SELECT item_id, popularity AS score FROM score_change WHERE country = '' AND popularity > 0"
TRENDING_AS_OF = "SELECT item_id, country, trending AS score FROM score_change WHERE trending > 0"
"""The same after `count_as_of`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What `count` did."""

    everything: bool
    """False: only items with news are in POPULARITY."""
    trending_decay: float
    """What brings a trending score from the landmark to the newest event."""


def count() -> Counted:
    """Count what came in. Afterwards, until the transaction ends, POPULARITY and TRENDING can be read.

    The caller holds a transaction in which nobody else counts.
    """
    started = time.monotonic()
    settled = _settled_until()
    definition = _definition()
    state = ScoreCount.objects.first()
    newest = EPOCH if state is None else _newest(state)
    score_changes.empty()
    if state is None or _starts_again(state, newest, definition):
        # A note stands before what it is about is read: later ones are for the next time.
        OwedCount.objects.all().delete()
        ItemScore.objects.all().delete()
        newest = queries.newest_event_at() or EPOCH
        state, everything = ScoreCount(pk=1, definition=definition, landmark=newest), True
        score_changes.find(newest, until=settled)
    else:
        everything = False
        settled = max(settled, state.received_until)
        score_changes.find(state.landmark, since=state.received_until, until=settled)
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE)
    score_changes.find(state.landmark, since=settled)
    state.newest_at, state.received_until = newest, settled
    if everything:
        state.counted_at, state.count_seconds = datetime.now(UTC), time.monotonic() - started
    state.save()
    age_days = (newest - state.landmark) / timedelta(days=1)
    return Counted(everything=everything, trending_decay=0.5 ** (age_days / conf.trending_half_life_days()))


def count_as_of(moment: datetime) -> None:
    """Count what had happened by `moment` and nothing else; *_AS_OF can be read until the transaction ends.

    From scratch, without a trace in what is kept, counted back from the newest event by then. The caller holds a
    transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(occurred_at) FROM interactions_event WHERE occurred_at <= %s", [moment])
        newest = cursor.fetchone()[0] or EPOCH
    score_changes.empty()
    score_changes.find(newest, as_of=moment)


def _settled_until() -> datetime:
    """Return a moment before which nothing can be received any more."""
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST_TRANSACTION)
        oldest: datetime = cursor.fetchone()[0]
    return oldest - SKEW


def _definition() -> str:
    """Return what scores are made of: when it changes, nothing that was kept is right."""
    weights = EventType.objects.filter(weight__gt=0).order_by("pk").values_list("pk", "weight")
    days = (conf.popularity_half_life_days(), conf.trending_half_life_days())
    return f"{score_changes.HALF_LIVES} {days} {list(weights)}"


def _newest(state: ScoreCount) -> datetime:
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, [state.newest_at, state.received_until])
        newest: datetime = cursor.fetchone()[0]
    return newest


def _starts_again(state: ScoreCount, newest: datetime, definition: str) -> bool:
    if state.definition != definition or newest >= state.landmark + WINDOW_MOVES_AFTER:
        return True
    rested = datetime.now(UTC) - state.counted_at >= timedelta(seconds=state.count_seconds / SHARE_FOR_OWED_COUNTS)
    return rested and OwedCount.objects.exists()
