from __future__ import annotations

import gc
import logging
from collections.abc import Iterator

import pytest

from catalog.models import Item
from recommender import serving, serving_state
from recsite import warming


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_what_requests_need_is_read_and_exempt_from_collection(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    Item.objects.create(item_id="heat", title="Heat")
    monkeypatch.setattr(serving_state, "_last", None)
    warming.warm()
    held = serving_state.last()
    assert held is not None
    assert len(held.catalogue) == 1
    assert gc.get_freeze_count() > 1000
    assert not any(tracked is held for tracked in gc.get_objects())


def test_a_process_that_cannot_read_anything_starts_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*args: object, **kwargs: object) -> None:
        raise OSError("away")

    monkeypatch.setattr(serving, "recommend", away)
    with caplog.at_level(logging.WARNING):
        warming.warm()
    assert "starts cold" in caplog.text
    assert gc.get_freeze_count() > 0
