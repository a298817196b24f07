"""Whatever way a row is written, what Redis says of the revision is what Postgres says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import transaction

from catalog import revisions
from catalog.models import Item
from catalog.redis_store import client

WRITES: dict[str, Callable[[], object]] = {
    "save": lambda: Item(item_id="b", title="B").save(),
    "create": lambda: Item.objects.create(item_id="b", title="B"),
    "update": lambda: Item.objects.filter(item_id="a").update(is_active=False),
    "bulk_create": lambda: Item.objects.bulk_create([Item(item_id="b", title="B"), Item(item_id="c", title="C")]),
    "delete": lambda: Item.objects.get(item_id="a").delete(),
    "delete many": lambda: Item.objects.filter(item_id="a").delete(),
}


def announced() -> int:
    return int(client().hget(revisions.hash_key(), revisions.CATALOGUE) or 0)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_write_without_transaction_is_announced_at_once(
    committing_database: None, write: Callable[[], object]
) -> None:
    Item.objects.create(item_id="a", title="A")
    before = revisions.from_database()[revisions.CATALOGUE]
    assert announced() == before
    write()
    assert revisions.from_database()[revisions.CATALOGUE] > before
    assert announced() == revisions.from_database()[revisions.CATALOGUE]


def test_a_write_in_a_transaction_is_announced_when_it_commits(committing_database: None) -> None:
    Item.objects.create(item_id="a", title="A")
    before = announced()
    with transaction.atomic():
        Item.objects.update(title="B")
        assert announced() == before
    assert announced() == before + 1


def test_a_rolled_back_write_is_not_announced(committing_database: None) -> None:
    Item.objects.create(item_id="a", title="A")
    before = announced()
    with transaction.atomic():
        Item.objects.update(title="B")
        transaction.set_rollback(True)
    assert announced() == before
    assert revisions.from_database()[revisions.CATALOGUE] == before


def test_an_older_announcement_that_arrives_late_changes_nothing(committing_database: None) -> None:
    Item.objects.create(item_id="a", title="A")
    newest = announced()
    client().eval(revisions._RAISE, 1, revisions.hash_key(), revisions.CATALOGUE, str(newest - 1))
    assert announced() == newest


def test_popularity_does_not_move_the_catalogue(committing_database: None) -> None:
    Item.objects.create(item_id="a", title="A")
    before = revisions.from_database()[revisions.CATALOGUE]
    Item.objects.update(popularity=3.0)
    assert revisions.from_database()[revisions.CATALOGUE] == before
