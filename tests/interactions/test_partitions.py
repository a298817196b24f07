from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from interactions import partitions, tasks
from interactions.partitions import default_rows, ensure, ranges, repair_default

NOW = datetime(2026, 11, 22, tzinfo=UTC)
EVENTS = "interactions_event"


@pytest.fixture(autouse=True)
def rolled_back(db: None) -> Iterator[None]:
    """Run in a transaction whose end takes the partitions along."""
    with transaction.atomic():
        yield


def insert(*moments: str) -> None:
    with connection.cursor() as cursor:
        for moment in moments:
            cursor.execute(
                f"INSERT INTO {EVENTS} (event_id, occurred_at, user_id, item_id, event_type_id) "
                "VALUES (gen_random_uuid(), %s, 1, 1, 1)",
                [moment],
            )


def where() -> dict[str, int]:
    """Partition → rows."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT tableoid::regclass::text, count(*) FROM {EVENTS} GROUP BY 1 ORDER BY 1")
        return dict(cursor.fetchall())


def spans(first: str, last: str) -> list[tuple[str, str, str]]:
    found = ranges(datetime.fromisoformat(first), datetime.fromisoformat(last), NOW)
    return [(suffix, f"{start:%F}", f"{until:%F}") for suffix, start, until in found]


def test_recent_time_is_cut_by_month() -> None:
    assert spans("2026-10-15T00:00:00Z", "2027-01-01T00:00:00Z") == [
        ("y2026m10", "2026-10-01", "2026-11-01"),
        ("y2026m11", "2026-11-01", "2026-12-01"),
        ("y2026m12", "2026-12-01", "2027-01-01"),
        ("y2027m01", "2027-01-01", "2027-02-01"),
    ]


def test_older_time_is_cut_by_year() -> None:
    assert spans("2023-05-01T00:00:00Z", "2025-02-01T00:00:00Z") == [
        ("y2023", "2023-01-01", "2024-01-01"),
        ("y2024", "2024-01-01", "2025-01-01"),
        ("y2025m01", "2025-01-01", "2025-02-01"),
        ("y2025m02", "2025-02-01", "2025-03-01"),
    ]


def test_a_moment_elsewhere_belongs_to_its_utc_month() -> None:
    assert spans("2026-11-01T00:30:00+02:00", "2026-10-31T22:30:00Z") == [("y2026m10", "2026-10-01", "2026-11-01")]


def test_rows_land_in_the_partition_of_their_time() -> None:
    created = ensure(EVENTS, datetime(2001, 3, 1, tzinfo=UTC), datetime(2002, 1, 1, tzinfo=UTC))
    assert created == [f"{EVENTS}_y2001", f"{EVENTS}_y2002"]
    insert("2001-01-01T00:00:00Z", "2001-12-31T23:59:59.999999Z", "2002-01-01T00:00:00Z", "2000-12-31T23:59:59Z")
    assert where() == {f"{EVENTS}_default": 1, f"{EVENTS}_y2001": 2, f"{EVENTS}_y2002": 1}
    assert ensure(EVENTS, datetime(2001, 3, 1, tzinfo=UTC), datetime(2002, 1, 1, tzinfo=UTC)) == []


def test_a_new_partition_takes_its_rows_out_of_the_default_one() -> None:
    insert("1999-05-05T00:00:00Z", "1998-05-05T00:00:00Z")
    assert ensure(EVENTS, datetime(1999, 1, 1, tzinfo=UTC), datetime(1999, 2, 1, tzinfo=UTC)) == [f"{EVENTS}_y1999"]
    assert where() == {f"{EVENTS}_default": 1, f"{EVENTS}_y1999": 1}


def test_repairing_moves_every_row_and_keeps_the_count() -> None:
    moments = ["1975-06-01T00:00:00Z", "1975-07-01T00:00:00Z", "2003-01-01T00:00:00Z", "9999-12-31T00:00:00Z"]
    insert(*moments)
    assert default_rows(EVENTS) == 4
    assert repair_default(EVENTS) == 3
    assert where() == {f"{EVENTS}_default": 1, f"{EVENTS}_y1975": 2, f"{EVENTS}_y2003": 1}
    assert repair_default(EVENTS) == 0


def test_a_year_that_is_partly_cut_by_month_is_filled_by_month() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE {EVENTS}_y1990m03 PARTITION OF {EVENTS} FOR VALUES FROM ('1990-03-01') TO ('1990-04-01')"
        )
    insert("1990-01-15T00:00:00Z", "1990-03-15T00:00:00Z")
    assert repair_default(EVENTS) == 1
    assert where() == {f"{EVENTS}_y1990m01": 1, f"{EVENTS}_y1990m03": 1}


def test_each_partition_has_the_parents_indexes() -> None:
    ensure(EVENTS, datetime(1991, 1, 1, tzinfo=UTC), datetime(1991, 1, 1, tzinfo=UTC))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_index i JOIN pg_inherits h ON h.inhrelid = i.indexrelid "
            "WHERE i.indrelid = %s::regclass",
            [f"{EVENTS}_y1991"],
        )
        assert cursor.fetchone()[0] == 4


def test_maintenance_premakes_four_months_and_sounds_the_alarm(caplog: pytest.LogCaptureFixture) -> None:
    insert("1975-06-01T00:00:00Z")
    assert tasks.maintain_partitions() == []
    assert partitions.alarm() == {EVENTS: 1}
    assert "1 rows of interactions_event are in no partition of their own" in caplog.text


def test_the_command_says_what_it_moved() -> None:
    insert("1975-06-01T00:00:00Z", "2003-01-01T00:00:00Z")
    out = StringIO()
    call_command("repair_partitions", stdout=out)
    assert out.getvalue().splitlines() == [
        "interactions_event: 2 rows moved",
        "interactions_impression: 0 rows moved",
        "created: nothing was missing",
    ]
    assert default_rows(EVENTS) == 0
