"""Many items changed at once: bounded, asked about, noted, all or none."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client

from catalog import bulk_actions
from catalog.models import Item

ITEMS = "/admin/catalog/item/"


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("editor"))
    return client


@pytest.fixture
def films(db: None) -> list[Item]:
    return Item.objects.bulk_create(
        Item(item_id=f"film-{number}", title=f"Film {number}", tags=["heist"] if number == 0 else [])
        for number in range(3)
    )


def act(client: Client, action: str, items: list[Item], **typed: Any) -> Any:
    data = {"action": action, "_selected_action": [item.pk for item in items], **typed}
    return client.post(ITEMS, data, follow=True)


def test_a_few_are_hidden_at_once(staff: Client, films: list[Item]) -> None:
    assert "2 items are gone from every list." in act(staff, "deactivate", films[:2]).text
    assert [item.is_active for item in Item.objects.order_by("pk")] == [False, False, True]


def test_many_are_asked_about_first(staff: Client, films: list[Item], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_actions, "ASKED_FROM", 3)
    asked = act(staff, "deactivate", films)
    assert "Change 3 items" in asked.text
    assert Item.objects.filter(is_active=True).count() == 3
    act(staff, "deactivate", films, confirmed="1")
    assert Item.objects.filter(is_active=True).count() == 0


def test_all_that_are_found_are_changed_and_no_others(staff: Client, films: list[Item]) -> None:
    Item.objects.filter(pk=films[2].pk).update(category="Crime")
    data = {"action": "deactivate", "_selected_action": [films[0].pk], "select_across": "1", "index": "0"}
    staff.post(f"{ITEMS}?category=Crime", data | {"_selected_action": [films[2].pk]})
    assert [item.is_active for item in Item.objects.order_by("pk")] == [True, True, False]


def test_too_many_are_refused(staff: Client, films: list[Item], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_actions, "MOST", 2)
    assert "That is more than 2 rows" in act(staff, "deactivate", films, confirmed="1").text
    assert Item.objects.filter(is_active=True).count() == 3


def test_a_category_is_asked_for_and_set(staff: Client, films: list[Item]) -> None:
    assert 'name="category"' in act(staff, "set_category", films[:1]).text
    assert Item.objects.filter(category="Crime").count() == 0
    act(staff, "set_category", films[:2], confirmed="1", category="Crime")
    assert [item.category for item in Item.objects.order_by("pk")] == ["Crime", "Crime", ""]


def test_a_tag_is_added_once(staff: Client, films: list[Item]) -> None:
    answer = act(staff, "add_tag", films, confirmed="1", tag="heist")
    assert "2 items have got the tag" in answer.text
    assert [item.tags for item in Item.objects.order_by("pk")] == [["heist"]] * 3


def test_what_the_api_refuses_is_refused_and_nothing_changes(staff: Client, films: list[Item]) -> None:
    before = list(Item.objects.values())
    assert (
        "category has 101 characters; at most 100"
        in act(staff, "set_category", films, confirmed="1", category="x" * 101).text
    )
    assert "tags[0] has 101 characters" in act(staff, "add_tag", films, confirmed="1", tag="x" * 101).text
    assert "This field is required" in act(staff, "add_tag", films, confirmed="1", tag=" ").text
    assert list(Item.objects.values()) == before


def test_each_row_is_noted_with_who_did_it(staff: Client, films: list[Item]) -> None:
    act(staff, "set_category", films[:2], confirmed="1", category="Crime")
    with connection.cursor() as cursor:
        cursor.execute("""SELECT actor, "row", before ->> 'category', after ->> 'category' FROM recsite_auditentry""")
        noted = sorted(cursor.fetchall())
    assert noted == [("editor", str(film.pk), "", "Crime") for film in films[:2]]


def test_viewers_change_nothing(films: list[Item]) -> None:
    client, user = Client(), User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_item"))
    client.force_login(user)
    for action in ("activate", "deactivate", "set_category", "add_tag"):
        act(client, action, films, confirmed="1", category="Crime", tag="heist")
    assert not Item.objects.filter(is_active=False).exists()
    assert not Item.objects.filter(category="Crime").exists()
