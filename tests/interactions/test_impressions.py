from __future__ import annotations

import time
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from catalog.redis_store import client
from interactions import impressions
from interactions.contracts import ServedItem, ServedList
from interactions.impressions import record, stream_key, write_pending
from interactions.metrics import impressions_dropped
from interactions.models import DeadLetter, Impression

pytestmark = pytest.mark.usefixtures("each_redis")

NOW = float(int(time.time()))


def served(number: int = 1, **fields: Any) -> ServedList:
    defaults: dict[str, Any] = {
        "request_id": UUID(int=number),
        "shown_at": NOW,
        "user_id": "ann",
        "placement": "home",
        "model_version": "v3",
        "rules_version": 2,
        "items": (
            ServedItem(item_pk=5, position=0, source="content"),
            ServedItem(item_pk=6, position=1, source="rule", propensity=0.25),
        ),
    }
    return ServedList(**(defaults | fields))


def rows() -> list[tuple[Any, ...]]:
    return list(
        Impression.objects.order_by("request_id", "position").values_list("request_id", "item_id", "position", "source")
    )


def test_writes_what_was_shown(committed: dict[str, int]) -> None:
    record([served(experiment_id="exp", phase=2, variant="b")])
    assert rows() == []
    assert write_pending() == 2
    first, second = Impression.objects.order_by("position")
    assert (first.request_id, first.item_id, first.position, first.source) == (UUID(int=1), 5, 0, "content")
    assert (first.user_id_text, first.placement, first.model_version, first.rules_version) == ("ann", "home", "v3", 2)
    assert (first.experiment_id, first.phase, first.variant, first.propensity) == ("exp", 2, "b", 1.0)
    assert (second.propensity, second.shown_at.timestamp()) == (0.25, NOW)
    assert client().xlen(stream_key()) == 0
    assert write_pending() == 0


def test_a_list_without_items_is_not_noted(committed: dict[str, int]) -> None:
    record([served(items=())])
    assert client().exists(stream_key()) == 0


def test_a_limit_leaves_the_rest_for_the_next_call(committed: dict[str, int]) -> None:
    record([served(number) for number in range(1, 4)])
    assert [write_pending(limit=2), write_pending(limit=2), write_pending(limit=2)] == [4, 2, 0]


def test_alongside_is_called_in_the_same_transaction(committed: dict[str, int]) -> None:
    record([served(1), served(2)])

    def fail(lists: object) -> None:
        assert connection.in_atomic_block
        assert len(rows()) == 4
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        write_pending(fail)
    assert rows() == []
    given: list[ServedList] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(impressions, "CLAIM_IDLE_MS", 0)
        assert write_pending(given.extend) == 4
    assert given == [served(1), served(2)]


def test_a_crash_between_commit_and_acknowledgement_writes_each_row_once(
    committed: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    record([served(1)])
    with monkeypatch.context() as patch:
        patch.setattr(impressions, "_acknowledge", lambda ids: None)
        assert write_pending() == 2
    record([served(2)])
    assert client().xlen(stream_key()) == 2
    monkeypatch.setattr(impressions, "CLAIM_IDLE_MS", 0)
    assert write_pending() == 2
    assert len(rows()) == 4
    assert client().xlen(stream_key()) == 0
    assert client().xpending(stream_key(), impressions.GROUP)["pending"] == 0


def test_poison_becomes_dead_letters_and_the_rest_is_written(committed: dict[str, int]) -> None:
    record([served(1), served(2, user_id="a\0b"), served(3)])
    client().xadd(stream_key(), {"list": b'{"request_id": 1}'})
    client().xadd(stream_key(), {"other": b"\xff"})
    record([served(4, items=(ServedItem(item_pk=1, position=40_000, source="x"),))])
    given: list[ServedList] = []
    assert write_pending(given.extend) == 4
    assert {row[0] for row in rows()} == {UUID(int=1), UUID(int=3)}
    letters = list(DeadLetter.objects.order_by("pk"))
    assert [letter.code for letter in letters] == ["impression_invalid"] * 4
    assert all(letter.payload.isascii() for letter in letters)
    assert client().xlen(stream_key()) == 0


def test_without_redis_rows_go_straight_to_postgres(committed: dict[str, int], dead_redis: object) -> None:
    given: list[ServedList] = []
    record([served(1)], given.extend)
    assert given == [served(1)]
    assert rows() == [(UUID(int=1), 5, 0, "content"), (UUID(int=1), 6, 1, "rule")]
    record([served(1)])
    assert len(rows()) == 2
    assert write_pending() == 0


def test_with_neither_redis_nor_postgres_they_are_counted(
    committed: dict[str, int], dead_redis: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = impressions_dropped._value.get()
    record([served(1), served(2, user_id="x" * 300)])
    assert rows() == []
    assert impressions_dropped._value.get() - before == 4


def test_forgets_a_users_lists(committed: dict[str, int]) -> None:
    from django.db import transaction

    record([served(number, user_id="ann" if number % 2 else "bob") for number in range(1, 6)])
    with transaction.atomic():
        assert impressions.forget("ann") == 3
    assert write_pending() == 4
    assert set(Impression.objects.values_list("user_id_text", flat=True)) == {"bob"}
