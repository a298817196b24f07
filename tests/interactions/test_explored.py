from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from catalog.redis_store import client, key
from interactions import explored, impression_rows, recording, tasks
from interactions.contracts import EventInput, ServedItem, ServedList

NOW = datetime(2026, 3, 20, tzinfo=UTC).timestamp()
DAY = 86_400.0


@pytest.fixture(autouse=True)
def nothing_held(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    explored.forget()
    monkeypatch.setattr(explored.time, "time", lambda: NOW)
    yield
    explored.forget()


def show(days_ago: float, *shown: tuple[int, str]) -> uuid.UUID:
    items = tuple(ServedItem(item_pk=pk, position=place, source=source) for place, (pk, source) in enumerate(shown))
    request_id = uuid.uuid4()
    impression_rows.insert(
        [
            ServedList(
                request_id=request_id,
                shown_at=NOW - days_ago * DAY,
                user_id="ann",
                placement="homepage",
                model_version="v1",
                rules_version=1,
                items=items,
            )
        ]
    )
    return request_id


def take(request_id: uuid.UUID, item_id: str, event_type: str = "watch") -> None:
    moment = datetime.fromtimestamp(NOW, UTC) - timedelta(hours=1)
    event = EventInput(user_id="ann", item_id=item_id, event_type=event_type, occurred_at=moment, request_id=request_id)
    assert [verdict.status for verdict in recording.record([event])] == ["accepted"]


def test_what_was_taken_from_there_is_counted_once_a_showing(items: dict[str, int]) -> None:
    """Of three showings of one item one was watched and liked, one disliked; another list's item does not count."""
    first, second = (show(1, (items["heat"], "exploration"), (items["alien"], "content")) for _ in range(2))
    show(1, (items["heat"], "exploration"))
    take(first, "heat")
    take(first, "heat", "like")
    take(second, "heat", "not_interested")
    take(first, "alien")
    explored.refresh()
    assert (explored.current(), explored.taken()) == ({items["heat"]: 3}, {items["heat"]: 1})


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
