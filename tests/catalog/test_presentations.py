"""Other titles and pictures are held in memory, and read anew when one has been edited."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from catalog import presentations, revisions
from catalog.item_card import ItemCard
from catalog.models import Item, ItemPresentation
from catalog.presentations import Presentation

pytestmark = pytest.mark.django_db


@pytest.fixture
def heat() -> Item:
    return Item.objects.create(item_id="heat", title="Heat", image_url="/heat.jpg")


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presentations._copy, "_held", None)


def test_the_active_ones_are_read_in_one_query_item_by_item(heat: Item) -> None:
    ronin = Item.objects.create(item_id="ronin", title="Ronin")
    saga = ItemPresentation.objects.create(item=heat, title="A crime saga")
    poster = ItemPresentation.objects.create(item=heat, image_url="/other.jpg")
    ItemPresentation.objects.create(item=ronin, title="Off", is_active=False)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        found = presentations.load()
    assert len([query for query in asked if "SELECT" in query["sql"]]) == 1
    assert found == {
        heat.pk: {
            saga.pk: Presentation(pk=saga.pk, title="A crime saga", image_url=""),
            poster.pk: Presentation(pk=poster.pk, title="", image_url="/other.jpg"),
        }
    }


def test_what_is_left_empty_is_the_items_own(heat: Item) -> None:
    card = ItemCard(item_id="heat", title="Heat", image_url="/heat.jpg", year=1995)
    assert Presentation(pk=1, title="Saga", image_url="").on(card) == ItemCard(
        item_id="heat", title="Saga", image_url="/heat.jpg", year=1995
    )
    assert Presentation(pk=1, title="", image_url="/b.jpg").on(card) == ItemCard(
        item_id="heat", title="Heat", image_url="/b.jpg", year=1995
    )


def test_more_than_can_be_told_apart_are_not_shown(heat: Item) -> None:
    ItemPresentation.objects.bulk_create(ItemPresentation(item=heat, title=f"Title {number}") for number in range(12))
    assert [one.title for one in presentations.load()[heat.pk].values()] == [f"Title {number}" for number in range(9)]


def test_an_edit_raises_their_revision_and_only_theirs(heat: Item) -> None:
    before = revisions.from_database()
    saga = ItemPresentation.objects.create(item=heat, title="A crime saga")
    held = presentations.current(revisions.from_database()[revisions.PRESENTATIONS])
    assert list(held) == [heat.pk]
    assert presentations.current(revisions.from_database()[revisions.PRESENTATIONS]) is held
    ItemPresentation.objects.filter(pk=saga.pk).update(is_active=False)
    after = revisions.from_database()
    assert presentations.current(after[revisions.PRESENTATIONS]) == {}
    assert after == {**before, revisions.PRESENTATIONS: before[revisions.PRESENTATIONS] + 2}


def test_what_says_nothing_else_than_the_item_cannot_be_stored(heat: Item) -> None:
    with pytest.raises(IntegrityError, match="presentation_differs"):
        ItemPresentation.objects.create(item=heat)
