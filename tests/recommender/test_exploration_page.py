from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from catalog.models import Item, ItemPresentation
from interactions import explored, impression_rows, recording
from interactions.contracts import EventInput, ServedItem, ServedList
from recommender.exploration_page import page

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(explored.time, "time", NOW.timestamp)
    yield
    explored.forget()


def show(item: Item, days_ago: int, times: int, taken: int) -> None:
    at = NOW - timedelta(days=days_ago)
    lists = [
        ServedList(
            request_id=uuid4(),
            shown_at=at.timestamp(),
            user_id=f"user-{number}",
            placement="homepage",
            model_version="v1",
            rules_version=1,
            items=(ServedItem(item_pk=item.pk, position=4, source="exploration", propensity=0.1),),
        )
        for number in range(times)
    ]
    impression_rows.insert(lists)
    recording.record(
        [EventInput(one.user_id, item.item_id, "watch", at, request_id=one.request_id) for one in lists[:taken]]
    )


def test_each_item_has_what_may_be_believed_of_it(db: None) -> None:
    """Beta(1 + 3, 1 + 5) of eight showings on two days; Beta(1, 1 + 2): means 0.4 and 0.25."""
    heat, ronin = (Item.objects.create(item_id=name, title=name.title()) for name in ("heat", "ronin"))
    show(ronin, 1, 2, 0)
    show(heat, 2, 4, 1)
    show(heat, 0, 4, 2)
    found = page()
    assert [(arm.title, arm.shown, arm.taken, arm.mean) for arm in found.arms] == [
        ("Heat", 8, 3, "40.0%"),
        ("Ronin", 2, 0, "25.0%"),
    ]
    # 0.1370 and 0.7007 are the Beta(4, 6)'s quantiles; of Beta(1, 3) they are 1 - 0.975^⅓ and 1 - 0.025^⅓.
    assert [arm.interval for arm in found.arms] == ["13.7% to 70.1%", "0.8% to 70.8%"]
    assert found.top == "70.8%"
    # Means (1 + 1) / (2 + 4), the same a day later, then 0.4, of 0.7076: 36 · (1 - 0.3333 / 0.7076) from above.
    assert found.arms[0].line == "0.0,19.0 80.0,19.0 160.0,15.6"
    assert sum(int(arm.chance.rstrip("%")) for arm in found.arms) == 100


def test_titles_and_pictures_have_what_may_be_believed_of_them(admin_client: Client) -> None:
    """Beta(1 + 1, 1 + 2) of three people under its own, Beta(1, 1 + 1) of one under another."""
    heat = Item.objects.create(item_id="heat", title="Heat", image_url="javascript:alert(1)")
    saga = ItemPresentation.objects.create(item=heat, title="A <b>saga</b>", image_url="/saga.jpg", is_active=False)
    shown = [("ann", 0), ("bob", 0), ("cem", 0), ("dan", saga.pk)]
    lists = [
        ServedList(
            request_id=uuid4(),
            shown_at=NOW.timestamp(),
            user_id=user,
            placement="homepage",
            model_version="v1",
            rules_version=1,
            items=(ServedItem(item_pk=heat.pk, position=0, source="popular", presentation=chosen),),
        )
        for user, chosen in shown
    ]
    impression_rows.insert(lists)
    recording.record([EventInput("ann", "heat", "watch", NOW, request_id=lists[0].request_id)])
    [of_heat] = page().titles
    assert [(arm.title, arm.image_url, arm.shown, arm.taken, arm.mean) for arm in of_heat.arms] == [
        ("Heat", "", 3, 1, "40.0%"),
        ("A <b>saga</b>", "/saga.jpg", 1, 0, "33.3%"),
    ]
    # Of Beta(1, 2) the quantiles are 1 - 0.975^½ and 1 - 0.025^½.
    assert of_heat.arms[1].interval == "1.3% to 84.2%"
    text = admin_client.get(reverse("admin:recommender_placement_exploration_page")).content.decode()
    assert "A &lt;b&gt;saga&lt;/b&gt; (off)" in text
    assert "Heat (its own)" in text
    assert "no test of these would mean anything" in text


def test_without_showings_it_says_so(admin_client: Client) -> None:
    assert page().arms == ()
    text = admin_client.get(reverse("admin:recommender_placement_exploration_page")).content.decode()
    assert "Exploration has shown nothing in the last 14 days." in text
    assert "No item has been shown under several in the last 14 days." in text


def test_the_page_escapes_titles_and_is_for_who_may_see_placements(admin_client: Client, client: Client) -> None:
    item = Item.objects.create(item_id="x", title="<b>New</b>")
    show(item, 0, 3, 1)
    address = reverse("admin:recommender_placement_exploration_page")
    text = admin_client.get(address).content.decode()
    assert "&lt;b&gt;New&lt;/b&gt;" in text
    assert "no test of them would mean anything" in text
    client.force_login(User.objects.create_user("nobody", is_staff=True))
    assert client.get(address).status_code == 403
