"""The catalogue's admin: the API's rules, and no count of millions."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, connection, transaction
from django.test import Client

from catalog.models import EmbeddingSpace, Item, ItemEmbedding
from catalog.paginating import EstimatingPaginator

ITEMS = "/admin/catalog/item/"


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("editor"))
    return client


@pytest.fixture
def heat(db: None) -> Item:
    return Item.objects.create(item_id="heat", title="Heat", category="Crime", tags=["heist", "la"])


def form(**change: Any) -> dict[str, Any]:
    return {
        "item_id": "heat",
        "title": "Heat",
        "category": "Crime",
        "tags": "heist|la",
        "is_active": "on",
        "attributes": "{}",
        "presentations-TOTAL_FORMS": "0",
        "presentations-INITIAL_FORMS": "0",
        "embeddings-TOTAL_FORMS": "0",
        "embeddings-INITIAL_FORMS": "0",
    } | change


def test_an_item_is_saved_as_typed(staff: Client, heat: Item) -> None:
    answer = staff.post(
        f"{ITEMS}{heat.pk}/change/", form(creators="Mann, Michael|Al Pacino", countries="us", attributes="")
    )
    assert answer.status_code == 302
    heat.refresh_from_db()
    assert (heat.tags, heat.creators, heat.countries) == (["heist", "la"], ["Mann, Michael", "Al Pacino"], ["US"])
    assert (heat.attributes, heat.is_active) == ({}, True)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("url", "javascript:alert(1)", "url must begin with https://, http:// or a single /"),
        ("tags", "x" * 101, "tags[0] has 101 characters; at most 100"),
        ("countries", "USA", "countries takes two-letter codes"),
        ("item_id", "a\u200bb", "item_id contains the character U+200B"),
    ],
)
def test_what_the_api_refuses_is_refused_beside_its_field(
    staff: Client, heat: Item, field: str, value: str, message: str
) -> None:
    before = Item.objects.values().get()
    answer = staff.post(f"{ITEMS}{heat.pk}/change/", form(**{field: value}))
    errors = answer.context["adminform"].form.errors
    assert list(errors) == [field]
    assert errors[field][0].startswith(message)
    assert Item.objects.values().get() == before


def others(heat: Item, *rows: dict[str, Any]) -> dict[str, Any]:
    """Return the form with rows of other titles and pictures; those that have an id are there already."""
    fields = {
        f"presentations-{number}-{name}": value
        for number, row in enumerate(rows)
        for name, value in ({"item": str(heat.pk)} | row).items()
    }
    stored = sum("id" in row for row in rows)
    totals = {"presentations-TOTAL_FORMS": str(len(rows)), "presentations-INITIAL_FORMS": str(stored)}
    return form(**totals, **fields)


def test_an_item_is_given_other_titles_and_pictures_which_are_switched_off_and_not_rewritten(
    staff: Client, heat: Item
) -> None:
    url = f"{ITEMS}{heat.pk}/change/"
    given = [{"title": "A Los Angeles crime saga", "is_active": "on"}, {"image_url": "/heat-2.jpg", "is_active": "on"}]
    assert staff.post(url, others(heat, *given)).status_code == 302
    first, second = heat.presentations.all()
    assert (first.title, first.image_url, second.title, second.image_url) == (
        "A Los Angeles crime saga", "", "", "/heat-2.jpg",
    )  # fmt: skip
    stored = [{"id": str(first.pk), "title": "Rewritten"}, {"id": str(second.pk), "is_active": "on"}]
    assert staff.post(url, others(heat, *stored)).status_code == 302
    first.refresh_from_db()
    assert (first.title, first.is_active) == ("A Los Angeles crime saga", False)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"title": " "}], "Give it a title, a picture, or both."),
        ([{"image_url": "javascript:alert(1)"}], "image_url must begin with https://, http:// or a single /"),
        ([{"title": f"Title {n}", "is_active": "on"} for n in range(10)], "At most 9 can be on at the same time."),
    ],
)
def test_what_is_no_presentation_is_refused(
    staff: Client, heat: Item, rows: list[dict[str, Any]], message: str
) -> None:
    answer = staff.post(f"{ITEMS}{heat.pk}/change/", others(heat, *rows))
    assert answer.status_code == 200
    assert message in answer.content.decode()
    assert not heat.presentations.exists()


@pytest.mark.parametrize(("group", "may"), [("Viewers", False), ("Editors", True), ("Reviewers", True)])
def test_who_may_edit_items_may_present_them(heat: Item, group: str, may: bool) -> None:
    user = User.objects.create_user("somebody", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    assert [user.has_perm(f"catalog.{verb}_itempresentation") for verb in ("view", "add", "change", "delete")] == [
        True, may, may, may,
    ]  # fmt: skip


def test_items_are_hidden_and_shown_together(staff: Client, heat: Item) -> None:
    for action, is_active in (("deactivate", False), ("activate", True)):
        staff.post(ITEMS, {"action": action, "_selected_action": [heat.pk]})
        heat.refresh_from_db()
        assert heat.is_active is is_active


@pytest.mark.parametrize(("term", "found"), [("haet", 0), ("heat", 1), ("hea", 1), ("he", 1), ("HEAT ", 1), ("zz", 0)])
def test_the_list_is_searched(staff: Client, heat: Item, term: str, found: int) -> None:
    Item.objects.create(item_id="zulu", title="Battle")
    answer = staff.get(ITEMS, {"q": term})
    assert answer.context["cl"].result_count == found


def test_the_list_is_filtered_by_category(staff: Client, heat: Item) -> None:
    Item.objects.create(item_id="up", title="Up", category="Animation")
    listed = staff.get(ITEMS, {"category": "Animation"}).context["cl"].result_list
    assert [item.item_id for item in listed] == ["up"]


def test_autocomplete_finds_items_for_rules(staff: Client, heat: Item) -> None:
    query = {"app_label": "recommender", "model_name": "ruleitem", "field_name": "item", "term": "heat"}
    assert staff.get("/admin/autocomplete/", query).json()["results"] == [{"id": str(heat.pk), "text": "Heat"}]


def test_the_vectors_of_an_item_are_listed(staff: Client, heat: Item) -> None:
    space = EmbeddingSpace.objects.create(name="audio", dimension=64)
    ItemEmbedding.objects.create(item=heat, space=space, vector=b"\0" * 256, model_version="v7")
    page = staff.get(f"{ITEMS}{heat.pk}/change/").text
    assert "v7" in page


def test_a_small_table_is_counted(heat: Item) -> None:
    assert EstimatingPaginator(Item.objects.order_by("id"), 10).count == 1


def test_a_large_table_is_estimated_and_a_large_filtered_list_cut(heat: Item, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.paginating.COUNT_AT_MOST", 2)
    Item.objects.bulk_create(Item(item_id=f"i{number}", title="x") for number in range(4))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE catalog_item")
    assert EstimatingPaginator(Item.objects.order_by("title"), 10).count == 5
    assert EstimatingPaginator(Item.objects.filter(is_active=True), 10).count == 2


@pytest.mark.parametrize("dimension", [63, 1025])
def test_a_space_has_64_to_1024_dimensions(staff: Client, dimension: int) -> None:
    answer = staff.post(
        "/admin/catalog/embeddingspace/add/",
        {"name": "audio", "dimension": dimension, "metric": "cosine", "weight": "1"},
    )
    assert list(answer.context["adminform"].form.errors) == ["dimension"]
    with pytest.raises(IntegrityError), transaction.atomic():
        EmbeddingSpace.objects.create(name="audio", dimension=dimension)
    assert EmbeddingSpace.objects.count() == 0


def test_the_dimension_is_fixed_once_there_are_vectors(staff: Client, heat: Item) -> None:
    space = EmbeddingSpace.objects.create(name="audio", dimension=64)
    change = {"name": "audio", "dimension": "128", "metric": "cosine", "weight": "1"}
    staff.post(f"/admin/catalog/embeddingspace/{space.pk}/change/", change)
    space.refresh_from_db()
    assert space.dimension == 128
    ItemEmbedding.objects.create(item=heat, space=space, vector=b"\0" * 512)
    staff.post(f"/admin/catalog/embeddingspace/{space.pk}/change/", change | {"dimension": "64"})
    space.refresh_from_db()
    assert space.dimension == 128
