from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection, transaction
from pytest_django import Settings

from interactions import partitions, retention, tasks
from interactions.partitions import default_rows, ensure, newest_start, ranges, repair_default

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


def spans(first: str, last: str, by: str = "month") -> list[tuple[str, str, str]]:
    found = ranges(datetime.fromisoformat(first), datetime.fromisoformat(last), NOW, by)
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


def test_by_day_the_last_weeks_and_what_comes_are_cut() -> None:
    assert spans("2026-11-30T10:00:00Z", "2026-12-01T00:00:00Z", "day") == [
        ("y2026m11d30", "2026-11-30", "2026-12-01"),
        ("y2026m12d01", "2026-12-01", "2026-12-02"),
    ]
    # 31 days before the 22nd of November are the 22nd of October.
    assert [suffix for suffix, *_ in spans("2024-07-03T00:00:00Z", "2026-10-02T00:00:00Z", "day")] == [
        "y2024",
        *(f"y2025m{month:02d}" for month in range(1, 13)),
        *(f"y2026m{month:02d}" for month in range(1, 10)),
        "y2026m10d01",
        "y2026m10d02",
    ]


def test_what_is_cut_by_month_stays_and_the_empty_months_ahead_are_cut_by_day(settings: Settings) -> None:
    with time_machine.travel(datetime(2041, 11, 22, tzinfo=UTC), tick=False):
        settings.INTERACTIONS_PARTITION_BY = "month"
        partitions.premake()
        insert("2041-11-22T00:00:00Z", "2042-01-05T00:00:00Z")
        settings.INTERACTIONS_PARTITION_BY = "day"
        created = tasks.maintain_partitions()
        assert f"{EVENTS}_y2041m12d06" in created
        assert f"{EVENTS}_y2041m12d07" not in created
        assert f"{EVENTS}_y2041m11d22" not in created
        names = [name for _, _, name in partitions.existing(EVENTS)]
        assert f"{EVENTS}_y2041m11" in names
        assert f"{EVENTS}_y2041m12" not in names
        assert f"{EVENTS}_y2042m01" in names
        assert where() == {f"{EVENTS}_y2041m11": 1, f"{EVENTS}_y2042m01": 1}
        insert("2041-12-06T23:59:59Z")
        assert where()[f"{EVENTS}_y2041m12d06"] == 1
        assert tasks.maintain_partitions() == []
        # And back: what is missing of December goes by day, as a part of it is there.
        settings.INTERACTIONS_PARTITION_BY = "month"
        created = tasks.maintain_partitions()
        assert f"{EVENTS}_y2041m12d31" in created
        assert f"{EVENTS}_y2042m02" in created
        insert("2041-12-31T23:59:59Z", "2042-02-01T00:00:00Z")
        assert default_rows(EVENTS) == 0


def test_stray_rows_of_recent_days_get_their_days(settings: Settings) -> None:
    with time_machine.travel(datetime(2030, 10, 5, tzinfo=UTC), tick=False):
        settings.INTERACTIONS_PARTITION_BY = "day"
        insert("2005-08-05T00:00:00Z", "2030-10-01T12:00:00Z", "2030-10-03T12:00:00Z")
        stray = default_rows(EVENTS)
        assert repair_default(EVENTS) == stray
        assert {name for name in where() if "y2030" in name} == {f"{EVENTS}_y2030m10d01", f"{EVENTS}_y2030m10d03"}


def test_the_newest_rows_are_more_than_those_of_a_day_that_has_just_begun(settings: Settings) -> None:
    with time_machine.travel(datetime(2031, 5, 7, 0, 1, tzinfo=UTC), tick=False):
        settings.INTERACTIONS_PARTITION_BY = "day"
        ensure(EVENTS, datetime(2031, 5, 4, tzinfo=UTC), datetime(2031, 5, 8, tzinfo=UTC))
        insert("2031-05-05T12:00:00Z", "2031-05-07T00:00:30Z")
        assert newest_start(EVENTS) == datetime(2031, 5, 5, tzinfo=UTC)
        insert("2031-05-06T12:00:00Z")
        assert newest_start(EVENTS) == datetime(2031, 5, 6, tzinfo=UTC)
    with time_machine.travel(datetime(2031, 5, 8, 0, 0, tzinfo=UTC), tick=False):
        assert newest_start(EVENTS) == datetime(2031, 5, 7, tzinfo=UTC)


def test_retention_by_day_keeps_to_the_day(settings: Settings) -> None:
    with time_machine.travel(datetime(2031, 5, 7, 12, tzinfo=UTC), tick=False):
        settings.INTERACTIONS_PARTITION_BY = "day"
        settings.INTERACTIONS_RETENTION_DAYS = 2
        ensure(EVENTS, datetime(2031, 5, 3, tzinfo=UTC), datetime(2031, 5, 7, tzinfo=UTC))
        insert("2031-05-03T12:00:00Z", "2031-05-04T23:59:59Z", "2031-05-05T00:00:00Z", "2031-05-07T00:00:00Z")
        dropped = retention.drop_old()
        assert {f"{EVENTS}_y2031m05d03", f"{EVENTS}_y2031m05d04"} <= set(dropped)
        assert [name for name in where() if "y2031" in name] == [f"{EVENTS}_y2031m05d05", f"{EVENTS}_y2031m05d07"]


def test_neither_month_nor_day_is_an_error_of_the_check(settings: Settings) -> None:
    assert partitions.check_partition_by(None) == []
    settings.INTERACTIONS_PARTITION_BY = "week"
    [error] = partitions.check_partition_by(None)
    assert (error.id, error.msg) == (
        "interactions.E003",
        "INTERACTIONS_PARTITION_BY is 'week'; it can be 'month' or 'day'.",
    )


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
