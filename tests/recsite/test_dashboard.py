"""The first page of the admin: what it says, to whom, and that it counts nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import Item
from interactions.models import DailyFigure
from recsite import dashboard, latency

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)
TODAY = NOON.date()


def figure(day: date, placement: str, impressions: int, clicked: int, **other: int) -> None:
    whole = {"items_in_week": 30, "catalogue": 120, "events": 1440} if placement == "" else {}
    counts = {"by_rule": 0, "of_new_items": 0, "items": 1} | whole | other
    DailyFigure.objects.create(
        day=day, placement=placement, counted_at=NOON, impressions=impressions, clicked=clicked, **counts
    )


def of_group(name: str) -> Client:
    user = User.objects.create_user(name, is_staff=True)
    user.groups.set(Group.objects.filter(name=name))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def two_days(db: None) -> None:
    figure(TODAY, "", 100, 8, by_rule=25, of_new_items=10)
    figure(TODAY, "homepage", 60, 6)
    figure(TODAY, "product_page", 40, 2)
    figure(TODAY - timedelta(days=6), "", 100, 2, by_rule=5)
    figure(TODAY - timedelta(days=6), "homepage", 100, 2)
    figure(TODAY - timedelta(days=7), "", 1000, 1000)  # before the week


@time_machine.travel(NOON, tick=False)
def test_tiles_add_up_the_week(two_days: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "quantiles", lambda views, shares: (0.012, 0.0304))
    page = dashboard.dashboard(User.objects.create_superuser("boss"))
    assert {tile.title: (tile.value, tile.note) for tile in page.tiles} == {
        "Click-through rate": ("5.0 %", "of 200 items shown in 7 days"),  # 8 + 2 of 100 + 100
        "Coverage": ("25.0 %", "of the catalogue, shown to somebody in 7 days"),  # 30 of 120
        "Filled by rules": ("15.0 %", "of the places, in 7 days"),
        "New items": ("5.0 %", "of the places went to items out for 30 days or less"),
        "Shown": ("100", "items in lists, today so far"),
        "Model age": ("–", "no model yet"),
        "Events a minute": ("2.0", "today, so far"),  # 1,440 in the 720 minutes until noon
        "Answer time": ("12.0 ms", "half of the lists; 95 % within 30.4 ms"),
    }


@time_machine.travel(NOON, tick=False)
def test_charts_have_a_line_a_placement(two_days: None) -> None:
    page = dashboard.dashboard(User.objects.create_superuser("boss"))
    assert [chart.title for chart in page.charts] == [
        "Click-through rate by placement",
        "Places filled by rules, and with new items",
        "Catalogue shown within 7 days",
        "Events a minute",
    ]
    assert [(line.name, line.latest) for line in page.charts[0].lines] == [("homepage", "10%"), ("product_page", "5%")]
    assert [dot.text for dot in page.charts[0].lines[0].dots] == ["2026-03-14: 2%", "2026-03-20: 10%"]
    assert [(line.name, line.latest) for line in page.charts[1].lines] == [("rules", "25%"), ("new items", "10%")]
    assert (page.left_out, page.steps) == (0, ())


def test_placements_beyond_the_lines_are_said_to_be_left_out(db: None) -> None:
    today = datetime.now(UTC).date()
    figure(today, "", 21, 0)
    for number in range(1, 8):
        figure(today, f"row_{number}", number, 0)
    page = dashboard.dashboard(User.objects.create_superuser("boss"))
    assert [line.name for line in page.charts[0].lines] == ["row_7", "row_6", "row_5", "row_4", "row_3"]
    assert page.left_out == 2


def test_a_new_site_says_what_comes_first(db: None) -> None:
    client = of_group("Viewers")
    answer = client.get("/admin/")
    assert [step.done for step in answer.context["dashboard"].steps] == [False] * 4
    assert "Nothing has been shown in the last 30 days" in answer.text
    assert answer.context["dashboard"].charts == ()
    Item.objects.create(item_id="heat", title="Heat")
    assert [step.done for step in client.get("/admin/").context["dashboard"].steps] == [True, False, False, False]


def test_tiles_lead_only_where_one_may_go(two_days: None) -> None:
    tiles = {tile.title: tile.url for tile in of_group("Viewers").get("/admin/").context["dashboard"].tiles}
    assert tiles["Filled by rules"] == "/admin/recommender/rule/"
    assert tiles["Events a minute"] == ""


def test_who_may_not_see_placements_gets_no_figures(two_days: None) -> None:
    client = Client()
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    answer = client.get("/admin/")
    assert (answer.status_code, "dashboard" in answer.context) == (200, False)


@time_machine.travel(NOON, tick=False)
def test_it_counts_neither_events_nor_impressions(two_days: None) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    with CaptureQueriesContext(connection) as few:
        client.get("/admin/")
    for back in range(30):
        figure(TODAY - timedelta(days=back), f"row_{back}", 5, 1)
    with CaptureQueriesContext(connection) as many:
        client.get("/admin/")
    assert len(many) == len(few)
    asked = " ".join(query["sql"] for query in many)
    assert "interactions_impression" not in asked
    assert "COUNT(*)" not in asked
