"""Columns come as one array whatever the number of pieces that they are packed in."""

from __future__ import annotations

import numpy as np
import pytest

from catalog import column_reading
from catalog.models import Item

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("together", [1, 2, 100_000])
def test_keys_ascend(together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(column_reading, "_ITEMS", together)
    pks = [Item.objects.create(item_id=title, title=title).pk for title in ("a", "b", "c", "d", "e")]
    assert column_reading.pks().tolist() == pks


def test_popularity_is_of_the_items_asked_for() -> None:
    first, other, last = (
        Item.objects.create(item_id=title, title=title, popularity=popularity).pk
        for title, popularity in (("a", 1.5), ("b", 2.5), ("c", 1e-60))
    )
    default = np.array([7, 7, 7], dtype=np.float32)
    found = column_reading.popularity_of(np.array([first, other + 1000, other + 2000]), default)
    assert found.tolist() == [1.5, 7.0, 7.0]
    assert default.tolist() == [7.0, 7.0, 7.0]
    assert column_reading.popularity_of(np.array([other, last]), default[:2]).tolist() == [2.5, 0.0]


def test_popularity_that_is_the_same_is_the_same_array() -> None:
    pk = Item.objects.create(item_id="a", title="a", popularity=1.5).pk
    default = np.array([1.5], dtype=np.float32)
    assert column_reading.popularity_of(np.array([pk]), default) is default


def test_an_empty_catalogue_has_no_columns() -> None:
    assert column_reading.pks().tolist() == []
    assert column_reading.popularity_of(np.array([3]), np.array([2], dtype=np.float32)).tolist() == [2.0]
