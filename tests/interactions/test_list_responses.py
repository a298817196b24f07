"""Who was shown how many lists, and took something from how many of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Item
from interactions import impression_rows, partitions
from interactions.contracts import EventInput, ServedItem, ServedList
from interactions.list_responses import Hours, responses
from interactions.models import UserProfile
from interactions.recording import record

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
WEEK = timedelta(days=7)


@pytest.fixture
def heat() -> Item:
    return Item.objects.create(item_id="heat", title="Heat")


def show(item: Item, user_id: str, at: datetime = MONDAY, placement: str = "homepage", items: int = 2) -> UUID:
    """Store a list of that many impressions; return its request."""
    request_id = uuid4()
    served = [ServedItem(item_pk=item.pk, position=position, source="popular") for position in range(items)]
    impression_rows.insert(
        [
            ServedList(
                request_id=request_id,
                shown_at=at.timestamp(),
                user_id=user_id,
                placement=placement,
                model_version="v1",
                rules_version=1,
                items=tuple(served),
            )
        ]
    )
    return request_id


def click(request_id: UUID | None, user_id: str, at: datetime = MONDAY, event_type: str = "click") -> None:
    [verdict] = record(
        [EventInput(user_id=user_id, item_id="heat", event_type=event_type, occurred_at=at, request_id=request_id)]
    )
    assert verdict.status == "accepted"


def found(since: datetime = MONDAY, until: datetime = MONDAY + WEEK, **limits: object) -> dict[str, tuple[int, int]]:
    counted = responses(since, until, **limits)  # type: ignore[arg-type] # a test's limits
    return {one.user_id: (one.lists, one.taken_from) for one in counted}


def test_lists_are_counted_once_and_so_is_what_was_taken_from_them(heat: Item) -> None:
    first, _ = show(heat, "ann"), show(heat, "ann")
    show(heat, "bob")
    for minutes in (1, 2):
        click(first, "ann", MONDAY + timedelta(minutes=minutes))
    click(None, "bob", MONDAY + timedelta(minutes=2))
    assert found() == {"ann": (2, 1), "bob": (1, 0)}


def test_another_users_request_and_what_counts_for_nothing_are_no_response(heat: Item) -> None:
    anns = show(heat, "ann")
    click(anns, "bob")
    click(anns, "ann", event_type="impression")
    assert found() == {"ann": (1, 0)}


def test_only_that_time_those_placements_and_those_countries_count(heat: Item) -> None:
    UserProfile.objects.create(user_id="ann", country="FR")
    for at in (MONDAY - timedelta(seconds=1), MONDAY, MONDAY + WEEK):
        show(heat, "ann", at)
    show(heat, "bob", placement="trending")
    assert found() == {"ann": (1, 0), "bob": (1, 0)}
    assert found(placements=["trending"]) == {"bob": (1, 0)}
    assert found(countries=["FR", "DE"]) == {"ann": (1, 0)}


def test_hours_are_of_their_place_and_the_night_belongs_to_the_day_before(heat: Item) -> None:
    # Paris is an hour ahead: 23:30 there on Monday, 00:30 and 03:30 on Tuesday, 00:30 on Monday.
    for user_id, hours in (("late", 22.5), ("later", 23.5), ("too late", 26.5), ("sunday", -0.5)):
        show(heat, user_id, MONDAY + timedelta(hours=hours))
    since = MONDAY - WEEK
    night = {"opens": 23 * 60, "closes": 120, "time_zone": "Europe/Paris"}
    assert set(found(since, hours=Hours(**night, weekdays=()))) == {"late", "later", "sunday"}  # type: ignore[arg-type]
    assert set(found(since, hours=Hours(**night, weekdays=(1,)))) == {"late", "later"}  # type: ignore[arg-type]
    day = Hours(opens=0, closes=1440, weekdays=(1,), time_zone="UTC")
    assert set(found(since, hours=day)) == {"late", "later"}


def test_one_query_reads_only_the_partitions_of_that_time(heat: Item) -> None:
    start = partitions.month_start(datetime.now(UTC))
    show(heat, "ann", start)
    with CaptureQueriesContext(connection) as made:
        assert found(start, start + timedelta(hours=1)) == {"ann": (1, 0)}
    [query] = [one["sql"] for one in made if "interactions_impression" in one["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + query[query.index("WITH") :])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert set(re.findall(r"interactions_impression_(\w+\d)", plan)) == {f"{start:y%Ym%m}"}
