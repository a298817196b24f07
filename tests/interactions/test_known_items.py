from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from django.db import transaction

from catalog.models import Item
from interactions import known_items
from interactions.known_items import KnownItems

Queries = Callable[[int], AbstractContextManager[object]]


def test_an_item_is_looked_up_once_a_revision(committed: dict[str, int], django_assert_num_queries: Queries) -> None:
    known = KnownItems()
    with django_assert_num_queries(1):
        assert known.pks({"heat", "up"}, 1) == {name: committed[name] for name in ("heat", "up")}
    with django_assert_num_queries(0):
        assert known.pks({"up"}, 1)["up"] == committed["up"]
    with django_assert_num_queries(1):
        assert known.pks({"up", "alien"}, 1)["alien"] == committed["alien"]
    with django_assert_num_queries(1):
        assert known.pks({"up"}, 2) == {"up": committed["up"]}


def test_an_unknown_item_is_looked_up_each_time(committed: dict[str, int]) -> None:
    known = KnownItems()
    assert "later" not in known.pks({"later", "up"}, 1)
    later = Item.objects.create(item_id="later", title="Later")
    assert known.pks({"later", "up"}, 1)["later"] == later.pk


def test_a_deleted_item_is_forgotten_with_the_revision(committed: dict[str, int]) -> None:
    known = KnownItems()
    known.pks({"up"}, 1)
    Item.objects.filter(item_id="up").delete()
    assert known.pks({"up"}, 2) == {}


def test_what_a_transaction_sees_is_not_remembered(committed: dict[str, int]) -> None:
    known = KnownItems()
    known.pks({"up"}, 1)
    with transaction.atomic():
        later = Item.objects.create(item_id="later", title="Later")
        assert known.pks({"later", "up"}, 1) == {"later": later.pk, "up": committed["up"]}
        transaction.set_rollback(True)
    assert "later" not in known.pks({"later", "up"}, 1)


def test_no_more_is_remembered_than_agreed(
    committed: dict[str, int], monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Queries
) -> None:
    monkeypatch.setattr(known_items, "MOST", 2)
    known = KnownItems()
    known.pks({"heat", "up"}, 1)
    for _ in range(2):
        with django_assert_num_queries(1):
            assert known.pks({"heat", "alien"}, 1) == {name: committed[name] for name in ("heat", "alien")}
