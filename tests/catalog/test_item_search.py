"""What an editor finds while typing, and how."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog import item_search
from catalog.item_picker import ItemPicker
from catalog.models import Item

PICK = "/admin/catalog/item/pick/"


@pytest.fixture
def films(db: None) -> dict[str, int]:
    rows = [
        # item_id, title, popularity
        ("949", "Heat", 3.0),
        ("11008", "The Heat", 9.0),
        ("2640", "Heathers", 5.0),
        ("603", "The Matrix", 8.0),
        ("604", "The Matrix Reloaded", 4.0),
        ("99%", "100% Wolf", 1.0),
    ]
    items = Item.objects.bulk_create(
        Item(item_id=item_id, title=title, popularity=popularity) for item_id, title, popularity in rows
    )
    return {item.item_id: item.pk for item in items}


def titles(text: str) -> list[str]:
    return [found.title for found in item_search.find(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("heat", ["Heat", "The Heat", "Heathers"]),  # the very title, then by popularity
        ("HEAT ", ["Heat", "The Heat", "Heathers"]),
        ("matrix reloaded", ["The Matrix Reloaded"]),
        ("reloaded the", ["The Matrix Reloaded"]),
        ("60", ["The Matrix", "The Matrix Reloaded"]),  # ids that begin so
        ("604", ["The Matrix Reloaded"]),
        ("matirx", ["The Matrix", "The Matrix Reloaded"]),  # letters swapped
        ("99%", ["100% Wolf"]),
        ("100%", ["100% Wolf"]),
        ("%", ["100% Wolf"]),
        ("_", []),
        ("\0", ["The Heat", "The Matrix", "Heathers", "The Matrix Reloaded", "Heat", "100% Wolf"]),
        ("", ["The Heat", "The Matrix", "Heathers", "The Matrix Reloaded", "Heat", "100% Wolf"]),
        ("zebra", []),
        ("zebra " * 100, []),
    ],
)
def test_items_are_found_by_id_start_and_words(films: dict[str, int], text: str, found: list[str]) -> None:
    assert titles(text) == found


def test_what_is_no_longer_popular_is_found_by_trigrams(films: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_search, "_POPULAR", item_search._POPULAR.replace("LIMIT 20000", "LIMIT 1"))
    assert titles("heat") == ["Heat", "The Heat", "Heathers"]
    assert titles("reloaded") == ["The Matrix Reloaded"]


def test_what_trigrams_do_not_find_in_time_is_not_waited_for(
    films: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(item_search, "MOST_MILLISECONDS", 20)
    monkeypatch.setattr(item_search, "_RARE", item_search._RARE.replace("{condition}", "pg_sleep(9) IS NULL"))
    assert titles("heat") == ["Heat", "The Heat", "Heathers"]  # by beginning and among the popular
    assert titles("matirx") == []


def test_an_item_is_told_by_category_year_and_id(db: None) -> None:
    item = Item.objects.create(
        item_id="949",
        title="Heat",
        category="Crime",
        published_at=datetime(1995, 12, 15, tzinfo=UTC),
        image_url="/heat.jpg",
        is_active=False,
    )
    expected = item_search.FoundItem(
        pk=item.pk, title="Heat", image_url="/heat.jpg", note="Crime · 1995 · 949 · hidden"
    )
    assert item_search.find("heat") == [expected]
    assert item_search.by_pk([item.pk, 0]) == {item.pk: expected}


def test_a_page_of_them_is_bounded_and_counts_nothing(db: None) -> None:
    Item.objects.bulk_create(Item(item_id=str(number), title=f"Love {number}") for number in range(100))
    with CaptureQueriesContext(connection) as asked:
        assert len(item_search.find("love")) == item_search.MOST
    assert not [query for query in asked if "COUNT" in query["sql"].upper()]


def test_the_picker_asks_for_items_as_one_types(films: dict[str, int]) -> None:
    client = Client()
    user = User.objects.create_user("editor", is_staff=True)
    client.force_login(user)
    assert client.get(PICK, {"term": "reloaded"}).status_code == 403
    user.user_permissions.set(Permission.objects.filter(codename="view_item"))
    answer = client.get(PICK, {"term": "reloaded"})
    assert answer.json() == {
        "results": [{"id": films["604"], "text": "The Matrix Reloaded", "image": "", "note": "604"}],
        "pagination": {"more": False},
    }
    assert Client().get(PICK).status_code == 302


def test_a_field_holds_the_chosen_item_and_no_other(films: dict[str, int]) -> None:
    picker = ItemPicker()
    html = picker.render("item", films["603"])
    assert html.count("<option") == 2  # and the empty one
    assert f'<option value="{films["603"]}" selected data-image="" data-note="603">The Matrix</option>' in html
    with CaptureQueriesContext(connection) as asked:
        picker.known = item_search.by_pk([films["603"]])
        picker.render("item", films["603"])
    assert len(asked) == 1
    assert picker.render("item", "<script>").count("<option") == 1
