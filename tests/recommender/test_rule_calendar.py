"""The calendar of rules: days worked out by hand, and against the schedule that serves."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from catalog.models import Item
from recommender import rule_calendar
from recommender.models import Rule
from recommender.rules import versions
from recommender.rules.schedule import Schedule
from tests.recommender.rule_writing import written

MARCH = date(2026, 3, 1)
CALENDAR = "/admin/recommender/rule/calendar/"


def moment(day: int, month: int = 3) -> datetime:
    return datetime(2026, month, day, tzinfo=UTC)


def shown(page: int = 0, first: date = MARCH) -> list[tuple[str, str, bool, str]]:
    """Return (name, state, serves, days) of the month's lines."""
    lines = rule_calendar.month(first, page).lines
    return [(line.name, line.state, line.serves, ", ".join(bar.text for bar in line.bars)) for line in lines]


@pytest.fixture
def heat(db: None) -> Item:
    return Item.objects.create(item_id="heat", title="Heat")


def hide(name: str, **fields: object) -> Rule:
    return written("hide", items=["heat"], name=name, **fields)


def test_a_schedule_is_drawn_on_its_days(heat: Item) -> None:
    hide("always")
    hide("spring", active_from=moment(10), active_until=moment(13))  # over at the 13th's first moment
    hide("since winter", active_from=moment(1, 1))
    hide("april", active_from=moment(5, 4))
    hide("weekends", weekdays=[6, 7])  # 1 March 2026 is a Sunday
    hide("off", active_from=moment(10), is_active=False)
    assert sorted(shown()) == [
        ("since winter", "draft", False, "1–31"),
        ("spring", "draft", False, "10–12"),
        ("weekends", "draft", False, "1, 7–8, 14–15, 21–22, 28–29"),
    ]


def test_what_serves_is_told_from_what_is_only_written(heat: Item) -> None:
    as_published = hide("as published", active_from=moment(1), active_until=moment(3))
    moved = hide("moved", active_from=moment(2), active_until=moment(4))
    off = hide("off", active_from=moment(3), active_until=moment(5))
    gone = hide("gone", active_from=moment(4), active_until=moment(6))
    versions.publish_draft()
    Rule.objects.filter(pk=moved.pk).update(active_from=moment(20), active_until=moment(22))
    Rule.objects.filter(pk=off.pk).update(is_active=False)
    gone.delete()
    hide("new", active_from=moment(7), active_until=moment(8))
    assert shown() == [
        ("as published", "published", True, "1–2"),
        ("moved", "published, the draft differs", True, "2–3"),
        ("moved", "draft", False, "20–21"),
        ("off", "published, off in the draft", True, "3–4"),
        ("gone", "published, deleted in the draft", True, "4–5"),
        ("new", "draft", False, "7"),
    ]
    assert as_published.pk == rule_calendar.month(MARCH).lines[0].pk


def test_a_published_schedule_counts_where_the_draft_has_none(heat: Item) -> None:
    rule = hide("once", active_from=moment(2), active_until=moment(4))
    versions.publish_draft()
    Rule.objects.filter(pk=rule.pk).update(active_from=None, active_until=None)
    assert shown() == [
        ("once", "published, the draft differs", True, "2–3"),
        ("once", "draft", False, "1–31"),
    ]


def test_pages_are_bounded(heat: Item) -> None:
    Rule.objects.bulk_create(
        Rule(name=f"rule {number:03}", action="cap", active_from=moment(1) + timedelta(minutes=number))
        for number in range(120)
    )
    pages = [rule_calendar.month(MARCH, page) for page in range(3)]
    assert [(len(page.lines), page.has_more) for page in pages] == [(50, True), (50, True), (20, False)]
    assert [line.name for page in pages for line in page.lines] == [f"rule {number:03}" for number in range(120)]


def test_queries_do_not_grow_with_rules(heat: Item) -> None:
    counts = []
    for times in (2, 20):
        for number in range(times):
            hide(f"rule {times} {number}", active_from=moment(3), weekdays=[1])
        versions.publish_draft()
        with CaptureQueriesContext(connection) as asked:
            assert rule_calendar.month(MARCH).lines
        counts.append(len(asked))
    assert counts == [6, 6]


@pytest.mark.parametrize(
    ("text", "first"),
    [("2026-02", date(2026, 2, 1)), ("", MARCH), ("2026-13", MARCH), ("x", MARCH), ("9999-12", date(2100, 12, 1))],
)
def test_a_month_is_asked_by_name(text: str, first: date) -> None:
    with time_machine.travel(datetime(2026, 3, 20, 12, tzinfo=UTC)):
        assert rule_calendar.asked_month(text) == first


def test_hours_over_midnight_touch_the_next_day() -> None:
    friday_night = Schedule(weekdays=(5,), opens=22 * 60, closes=2 * 60, time_zone="Europe/Paris")
    # 6 March 2026 is a Friday.
    assert [day for day in range(1, 10) if rule_calendar.on_day(friday_night, date(2026, 3, day))] == [6, 7]


@given(
    since=st.none() | st.integers(0, 3 * 1440),
    length=st.none() | st.integers(1, 3 * 1440),
    weekdays=st.sets(st.integers(1, 7)),
    hours=st.none() | st.tuples(st.integers(0, 95), st.integers(0, 95)).filter(lambda pair: pair[0] != pair[1]),
    zone=st.sampled_from(["UTC", "Asia/Tokyo", "America/New_York"]),
)
def test_a_day_is_on_when_some_minute_of_it_is(
    since: int | None, length: int | None, weekdays: set[int], hours: tuple[int, int] | None, zone: str
) -> None:
    day = date(2026, 7, 15)
    start = datetime.combine(day, time(), ZoneInfo(zone)).timestamp()
    first = None if since is None else start + 60 * (since - 1440)
    schedule = Schedule(
        since=first,
        until=None if length is None else (start if first is None else first) + 60 * length,
        weekdays=tuple(sorted(weekdays)),
        opens=None if hours is None else 15 * hours[0],
        closes=None if hours is None else 15 * hours[1],
        time_zone=zone,
    )
    assert rule_calendar.on_day(schedule, day) == any(schedule.contains(start + 60 * minute) for minute in range(1440))


def test_the_page_links_to_rules_and_marks_today(heat: Item) -> None:
    rule = hide("spring", active_from=moment(10), active_until=moment(13))
    client = Client()
    user = User.objects.create_user("viewer", is_staff=True)
    user.groups.set(Group.objects.filter(name="Viewers"))
    client.force_login(user)
    with time_machine.travel(datetime(2026, 3, 20, 12, tzinfo=UTC)):
        answer = client.get(CALENDAR)
    assert answer.context["month"].today == date(2026, 3, 20)
    assert f'href="/admin/recommender/rule/{rule.pk}/change/"' in answer.text
    assert "?month=2026-02" in answer.text
    assert "?month=2026-04" in answer.text
    assert "No rule has a schedule in this month" in client.get(CALENDAR, {"month": "2025-01", "page": "x"}).text


def test_the_page_is_not_for_everybody(db: None) -> None:
    client = Client()
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert client.get(CALENDAR).status_code == 403
