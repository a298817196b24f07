from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.db import connection

from recommender.training import stored_events

pytestmark = pytest.mark.django_db
START = datetime(2026, 1, 1, 0, 0, 0, 250_000, tzinfo=UTC)


def insert(count: int, *, value: float | None = None, start: datetime = START) -> None:
    """Write events of user 7 on items 1..count, a second apart."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO interactions_event (event_id, occurred_at, user_id, item_id, event_type_id, value) "
            "SELECT gen_random_uuid(), %s + (n - 1) * interval '1 second', 7, n, 3, %s::float8 "
            "FROM generate_series(1, %s) AS n",
            [start, value, count],
        )


def test_an_event_comes_out_with_its_keys_its_moment_and_its_value() -> None:
    insert(1, value=4.5)
    (piece,) = stored_events.pieces()
    assert piece.dtype == stored_events.PACKED
    assert piece[["user", "item", "type", "value"]].tolist() == [(7, 1, 3, 4.5)]
    assert piece["occurred_at"][0] / 1e6 + stored_events.EPOCH == START.timestamp()


def test_an_event_without_a_value_has_nan() -> None:
    insert(1)
    (piece,) = stored_events.pieces()
    assert np.isnan(piece["value"]).all()


def test_pieces_of_one_page_hold_each_event_of_every_partition_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_events, "PAGES", 1)
    insert(500)
    insert(300, start=START + timedelta(days=3650))
    told: list[tuple[int, int]] = []
    found = list(stored_events.pieces(lambda done, total: told.append((done, total))))
    assert len(found) > 2
    assert sorted(np.concatenate(found)["item"].tolist()) == sorted([*range(1, 501), *range(1, 301)])
    assert [done for done, _ in told] == list(range(len(found)))
    assert all(done < total for done, total in told)


def test_a_span_split_into_pieces_is_read_like_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_events, "PAGES", 2)
    insert(800)
    with connection.cursor() as cursor:
        span = next(one for one in stored_events.spans(cursor) if one.pieces > 1)
        parts = [part for whole in stored_events.spans(cursor) for part in whole.split()]
        assert span.pieces == len(span.split()) > 1
        found = []
        for part in parts:
            cursor.execute(stored_events.query([part]))
            found += [np.frombuffer(packed, dtype=stored_events.PACKED)["item"] for (packed,) in cursor.fetchall()]
    assert sorted(np.concatenate(found).tolist()) == list(range(1, 801))


def test_without_events_there_are_no_pieces() -> None:
    assert list(stored_events.pieces()) == []


def test_only_the_pages_of_a_piece_are_read_for_it() -> None:
    insert(500)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM interactions_event LIMIT 1")
        (partition,) = cursor.fetchone()
        span = stored_events.Span(partition=partition, first=0, last=9_999)
        query = stored_events.query([span]).as_string(cursor.connection)
        cursor.execute(f"EXPLAIN {query}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Tid Range Scan" in plan
