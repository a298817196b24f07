"""What each day's impressions came to, placement by placement: counted by beat, read by pages, which count nothing.

    interactions_impression ─┐
    interactions_event      ─┼─ refresh (every 10 minutes, day by day) ──▶ DailyFigure ──▶ since
    catalog_item            ─┘

An impression is clicked when an event of a kind that counts (weight above 0) names its request and its item; the
request alone says whose it was, also after users were merged. A click may come up to CLICK_WINDOW after the day: until
then its day is counted anew once an hour, and never again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from interactions.models import DailyFigure

DAY = timedelta(days=1)
CLICK_WINDOW = timedelta(days=1)
SETTLED_AGAIN_AFTER = timedelta(hours=1)
KEPT_DAYS = 30
"""Days that are looked at; what is older stays as it was counted."""
MOST_DAYS = 3
"""Days a run: a site that has just begun to count works its way back without keeping a worker."""
WEEK_DAYS = 7
NEW_DAYS = 30
"""An item published within so many days before the day it was shown is a new one."""
ALL = ""
"""`placement` of the row that stands for all of them."""

# By item first: joining and telling items apart costs by the item then, not by the impression.
_COUNT = """
    WITH click AS (
        SELECT DISTINCT event.request_id, event.item_id
        FROM interactions_event event JOIN interactions_eventtype type ON type.id = event.event_type_id
        WHERE type.weight > 0 AND event.request_id IS NOT NULL
            AND event.received_at >= %(start)s AND event.occurred_at >= %(start)s AND event.occurred_at < %(last_click)s
    ), shown AS (
        SELECT placement, item_id, count(*) AS impressions, count(click.request_id) AS clicked,
            count(*) FILTER (WHERE source = 'rule') AS by_rule
        FROM interactions_impression LEFT JOIN click USING (request_id, item_id)
        WHERE shown_at >= %(start)s AND shown_at < %(end)s
        GROUP BY placement, item_id
    ), added AS (
        SELECT coalesce(placement, '') AS placement, sum(impressions) AS impressions, sum(clicked) AS clicked,
            sum(by_rule) AS by_rule,
            coalesce(sum(impressions) FILTER (
                WHERE item.published_at > %(new_since)s AND item.published_at < %(end)s
            ), 0) AS of_new_items,
            count(DISTINCT shown.item_id) AS items
        FROM shown LEFT JOIN catalog_item item ON item.id = shown.item_id
        GROUP BY GROUPING SETS ((placement), ()) HAVING GROUPING(placement) = 1 OR placement <> ''
    )
    INSERT INTO interactions_dailyfigure
        (day, placement, counted_at, impressions, clicked, by_rule, of_new_items, items, items_in_week, catalogue,
        events)
    SELECT %(day)s, placement, %(now)s, coalesce(impressions, 0), coalesce(clicked, 0), coalesce(by_rule, 0),
        of_new_items, items,
        CASE WHEN placement = '' THEN (
            SELECT count(*) FROM catalog_item item WHERE is_active AND id IN (
                SELECT item_id FROM interactions_impression WHERE shown_at >= %(week)s AND shown_at < %(end)s
            )
        ) END,
        CASE WHEN placement = '' THEN (SELECT count(*) FROM catalog_item WHERE is_active) END,
        CASE WHEN placement = '' THEN (
            SELECT count(*) FROM interactions_event WHERE received_at >= %(start)s AND received_at < %(end)s
        ) END
    FROM added
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One day's figures of one placement, or of all (`placement` is ALL); only these have what may be None."""

    day: date
    placement: str
    counted_at: datetime
    impressions: int
    clicked: int
    by_rule: int
    of_new_items: int
    items: int
    """Different ones."""
    items_in_week: int | None
    """Different ones among those that may be shown, in the WEEK_DAYS that end with the day."""
    catalogue: int | None
    """Items that may be shown."""
    events: int | None
    """Received that day."""


def refresh() -> int:
    """Count today and the days before that may have changed, at most MOST_DAYS of them. Returns how many.

    Safe to repeat. Reads the impressions of a day and of its week, by an index of their time.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('interactions_dailyfigure'))")
        if not cursor.fetchone()[0]:
            return 0
        days = _due(timezone.now())
        for day in days:
            _count(day)
    return len(days)


def since(day: date) -> list[Figures]:
    """Return what is counted of `day` and the days after it, oldest first, ALL before the placements (one query)."""
    rows = DailyFigure.objects.filter(day__gte=day).order_by("day", "placement")
    return [Figures(**row) for row in rows.values(*Figures.__dataclass_fields__)]


def _due(now: datetime) -> list[date]:
    """Return the days to count, newest first; today always."""
    today = now.astimezone(UTC).date()
    counted = dict(
        DailyFigure.objects.filter(day__gt=today - KEPT_DAYS * DAY, placement=ALL).values_list("day", "counted_at")
    )
    due = [today]
    for day in (today - back * DAY for back in range(1, KEPT_DAYS)):
        last = counted.get(day)
        if last is None or (last < _start(day) + DAY + CLICK_WINDOW and last <= now - SETTLED_AGAIN_AFTER):
            due.append(day)
    return due[:MOST_DAYS]


def _count(day: date) -> None:
    start = _start(day)
    values: dict[str, date] = {
        "day": day,
        "now": timezone.now(),
        "start": start,
        "end": start + DAY,
        "last_click": start + DAY + CLICK_WINDOW,
        "new_since": start - NEW_DAYS * DAY,
        "week": start + DAY - WEEK_DAYS * DAY,
    }
    DailyFigure.objects.filter(day=day).delete()
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, values)


def _start(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
