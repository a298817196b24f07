"""Python and Postgres derive the same id from the same content."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from django.db import connection

from interactions.identity import CONTENT_ID_SQL, microseconds_since_epoch
from tests.interactions.content_ids import derive_event_id

NOON = datetime(2024, 1, 15, 12, 0, 0, 123_456, tzinfo=UTC)


def in_sql(user_id: str, item_id: str, kind: str, moment: datetime, value: float | None) -> UUID:
    query = CONTENT_ID_SQL.format(
        user_id="%s::text", item_id="%s::text", event_type="%s::text", microseconds="%s::bigint", value="%s::float8"
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {query}", [user_id, item_id, kind, microseconds_since_epoch(moment), value])
        found: UUID = cursor.fetchone()[0]
        return found


def test_the_formula_stays() -> None:
    """Changing it would make every import new again."""
    assert derive_event_id("u1", "i1", "rating", NOON, 4.5) == UUID("41c1ef88-fe22-8624-523c-420b20100a29")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "value", [None, 0.0, -0.0, 4.0, 4.5, 0.1, 1 / 3, 1e15, 1e16, 1e22, 1e-5, 5e-324, 1.7976931348623157e308, -7.25]
)
def test_any_number_gives_the_same_id_in_sql(value: float | None) -> None:
    assert derive_event_id("u", "i", "rating", NOON, value) == in_sql("u", "i", "rating", NOON, value)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("user_id", "item_id", "moment"),
    [
        ("ümläut 名 🎬", "back\\slash", NOON),
        ("u", "i", datetime(1969, 7, 20, 20, 17, 40, 1, tzinfo=UTC)),
        ("u", "i", datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
    ],
)
def test_any_text_and_time_give_the_same_id_in_sql(user_id: str, item_id: str, moment: datetime) -> None:
    assert derive_event_id(user_id, item_id, "view", moment, None) == in_sql(user_id, item_id, "view", moment, None)


def test_every_part_of_the_content_counts_and_the_zone_does_not() -> None:
    ids = {
        derive_event_id("u", "i", "view", NOON, None),
        derive_event_id("v", "i", "view", NOON, None),
        derive_event_id("u", "j", "view", NOON, None),
        derive_event_id("u", "i", "click", NOON, None),
        derive_event_id("u", "i", "view", NOON + timedelta(microseconds=1), None),
        derive_event_id("u", "i", "view", NOON, 0.0),
        derive_event_id("u", "i", "view", NOON, 1.0),
    }
    assert len(ids) == 7
    elsewhere = NOON.astimezone(timezone(timedelta(hours=-11)))
    assert derive_event_id("u", "i", "view", elsewhere, None) == derive_event_id("u", "i", "view", NOON, None)
