"""What the dashboard reads, counted by hand beside it."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import connection

from catalog.models import Item
from interactions import daily_figures, impression_rows, tasks
from interactions.contracts import ServedItem, ServedList
from interactions.daily_figures import Figures
from interactions.models import DailyFigure, EventType, UserProfile

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)
TODAY = NOON.date()
YESTERDAY = date(2026, 3, 19)


def show(moment: datetime, placement: str, *shown: tuple[int, str]) -> uuid.UUID:
    """Write what was shown, as (item, source), and return the request."""
    request_id = uuid.uuid4()
    items = tuple(ServedItem(item_pk=pk, position=place, source=source) for place, (pk, source) in enumerate(shown))
    one = ServedList(
        request_id=request_id,
        shown_at=moment.timestamp(),
        user_id="ann",
        placement=placement,
        model_version="v1",
        rules_version=1,
        items=items,
    )
    impression_rows.insert([one])
    return request_id


def act(moment: datetime, item: int, kind: str, request_id: uuid.UUID | None) -> None:
    user, _ = UserProfile.objects.get_or_create(user_id="ann")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO interactions_event"
            " (event_id, occurred_at, user_id, item_id, event_type_id, request_id, received_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [uuid.uuid4(), moment, user.pk, item, EventType.objects.get(name=kind).pk, request_id, moment],
        )


def figures(day: date, placement: str) -> Figures:
    return next(one for one in daily_figures.since(day) if (one.day, one.placement) == (day, placement))


@pytest.fixture
def two_days(items: dict[str, int]) -> dict[str, int]:
    """Yesterday one list of two items; today one of three and one of two; Alien came out ten days ago."""
    Item.objects.filter(item_id="alien").update(published_at=NOON - timedelta(days=10))
    Item.objects.filter(item_id="heat").update(published_at=NOON - timedelta(days=31))
    heat, alien, up = items["heat"], items["alien"], items["up"]
    before = show(NOON - timedelta(days=1), "homepage", (heat, "content"), (up, "popular"))
    now = show(NOON, "homepage", (heat, "rule"), (alien, "content"), (up, "content"))
    show(NOON, "product_page", (heat, "rule"), (alien, "rule"))
    act(NOON, up, "click", before)  # the day after it was shown
    act(NOON, heat, "click", now)
    act(NOON, heat, "watch", now)  # the same impression
    act(NOON, alien, "not_interested", now)  # no click
    act(NOON, items["inception"], "click", now)  # was not in the list
    act(NOON, up, "click", None)  # of no list
    return items


def test_a_day_is_counted_by_placement_and_as_a_whole(two_days: dict[str, int]) -> None:
    with time_machine.travel(NOON, tick=False):
        assert tasks.count_daily_figures() == 3
    assert figures(TODAY, "homepage") == Figures(
        day=TODAY,
        placement="homepage",
        counted_at=NOON,
        impressions=3,
        clicked=1,  # Heat
        by_rule=1,  # Heat
        of_new_items=1,  # Alien
        items=3,
        items_in_week=None,
        catalogue=None,
        events=None,
    )
    assert figures(TODAY, "") == Figures(
        day=TODAY,
        placement="",
        counted_at=NOON,
        impressions=5,
        clicked=1,
        by_rule=3,
        of_new_items=2,
        items=3,
        items_in_week=3,
        catalogue=4,
        events=6,
    )
    yesterday = figures(YESTERDAY, "")
    assert (yesterday.impressions, yesterday.clicked, yesterday.of_new_items, yesterday.items_in_week) == (2, 1, 1, 2)
    assert (yesterday.events, yesterday.by_rule) == (0, 0)


def test_hidden_items_do_not_count_as_shown_catalogue(two_days: dict[str, int]) -> None:
    Item.objects.filter(item_id="up").update(is_active=False)
    with time_machine.travel(NOON, tick=False):
        daily_figures.refresh()
    assert (figures(TODAY, "").items_in_week, figures(TODAY, "").catalogue) == (2, 3)


def test_counting_again_changes_nothing(two_days: dict[str, int]) -> None:
    with time_machine.travel(NOON, tick=False):
        daily_figures.refresh()
        first = daily_figures.since(date(2026, 1, 1))
        DailyFigure.objects.exclude(day=TODAY).delete()  # all are due again
        daily_figures.refresh()
        assert daily_figures.since(date(2026, 1, 1)) == first


def test_a_past_day_is_counted_hourly_until_its_clicks_are_in_and_older_ones_a_few_at_a_time(
    two_days: dict[str, int],
) -> None:
    with time_machine.travel(NOON, tick=False):
        for _ in range(40):
            daily_figures.refresh()
        assert DailyFigure.objects.filter(placement="").count() == 30
        # All days that are over were counted within this hour.
        assert daily_figures.refresh() == 1
    act(NOON + timedelta(minutes=30), two_days["heat"], "click", None)
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        # Today, and yesterday, whose last hours' lists may still be clicked on; the day before is settled.
        assert daily_figures.refresh() == 2
    assert figures(TODAY, "").events == 7
    with time_machine.travel(NOON + timedelta(days=1), tick=False):
        # A new day; the 20th; and the 19th once more, now that no click can come.
        assert daily_figures.refresh() == 3
    with time_machine.travel(NOON + timedelta(days=1, hours=2), tick=False):
        assert daily_figures.refresh() == 2


def test_days_without_impressions_are_counted_as_empty(items: dict[str, int]) -> None:
    with time_machine.travel(NOON, tick=False):
        daily_figures.refresh()
    assert [(one.day, one.placement, one.impressions, one.catalogue) for one in daily_figures.since(TODAY)] == [
        (TODAY, "", 0, 4)
    ]
