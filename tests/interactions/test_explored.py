from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from catalog.redis_store import client, key
from interactions import explored, impression_rows, tasks
from interactions.contracts import ServedItem, ServedList

NOW = datetime(2026, 3, 20, tzinfo=UTC).timestamp()
DAY = 86_400.0


@pytest.fixture(autouse=True)
def nothing_held(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    explored.forget()
    monkeypatch.setattr(explored.time, "time", lambda: NOW)
    yield
    explored.forget()


def show(days_ago: float, *shown: tuple[int, str]) -> None:
    items = tuple(ServedItem(item_pk=pk, position=place, source=source) for place, (pk, source) in enumerate(shown))
    impression_rows.insert(
        [
            ServedList(
                request_id=uuid.uuid4(),
                shown_at=NOW - days_ago * DAY,
                user_id="ann",
                placement="homepage",
                model_version="v1",
                rules_version=1,
                items=items,
            )
        ]
    )


def test_only_what_exploration_showed_lately_is_counted(items: dict[str, int]) -> None:
    heat, alien, up = items["heat"], items["alien"], items["up"]
    show(1, (heat, "exploration"), (alien, "content"))
    show(13, (heat, "exploration"), (up, "exploration"))
    show(15, (up, "exploration"))
    assert explored.current() == {}
    assert tasks.count_explored() == 2
    assert explored.current() == {heat: 2, up: 1}


def test_after_a_loss_of_redis_the_counts_come_from_postgres(items: dict[str, int]) -> None:
    show(1, (items["heat"], "exploration"))
    explored.refresh()
    client().delete(key("explored"))
    explored.forget()
    assert explored.current() == {}
    explored.refresh()
    assert explored.current() == {items["heat"]: 1}
