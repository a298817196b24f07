"""The wider keys: every row is kept, everything works as before except what the README says is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import settings as django_settings
from django.db import IntegrityError, connection, connections
from pytest_django import DjangoDbBlocker

from interactions import (
    erasure,
    impression_rows,
    item_scores,
    partitions,
    profiles,
    retention,
    retracting,
    shard_obstacles,
    sharding,
)
from interactions.contracts import EventInput, ServedItem, ServedList
from interactions.importing import import_dataset
from interactions.models import Event, EventKey, Impression, UserProfile
from interactions.recording import record

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
EVENTS = "interactions_event"
WIDER = ["event_id", "occurred_at", "user_id"]


def event(user_id: str = "ann", item_id: str = "heat", **fields: object) -> EventInput:
    return EventInput(user_id, item_id, "watch", fields.pop("at", NOON), **fields)  # type: ignore[arg-type]


def statuses(*events: EventInput) -> list[str]:
    return [verdict.code or verdict.status for verdict in record(list(events))]


def served(item_pk: int, user_id: str = "ann") -> ServedList:
    item = ServedItem(item_pk=item_pk, position=0, source="popular")
    return ServedList(
        request_id=UUID(int=1),
        user_id=user_id,
        placement="home",
        shown_at=NOON.timestamp(),
        model_version="v1",
        rules_version=1,
        items=(item,),
    )


def key_of(table: str) -> list[str]:
    return asked(
        "SELECT attname::text FROM pg_index, unnest(indkey) WITH ORDINALITY AS k (number, place) JOIN pg_attribute "
        "ON attnum = number WHERE attrelid = indrelid AND indisprimary AND indrelid = %s::regclass ORDER BY place",
        table,
    )


def asked(query: str, *values: object) -> list[object]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return [row[0] for row in cursor.fetchall()]


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def checksum() -> list[object]:
    return asked(f"SELECT (count(*), md5(string_agg(e::text, '' ORDER BY e::text)))::text FROM {EVENTS} e")


@pytest.fixture
def sharded(items: dict[str, int]) -> dict[str, int]:
    """The tables with the wider keys, until the test's rollback; four items."""
    sharding.apply()
    return items


def test_rows_from_before_are_all_kept_and_nothing_is_left_to_do(items: dict[str, int]) -> None:
    record([event(), event("bob", at=NOON - timedelta(days=3000)), event("bob", event_id=UUID(int=5))])
    before = checksum()
    sharding.apply()
    assert checksum() == before
    assert key_of(EVENTS) == WIDER
    assert key_of("interactions_impression") == ["request_id", "position", "shown_at", "user_id"]
    assert key_of("interactions_eventkey") == ["event_id"]
    assert shard_obstacles.find() == []
    assert sharding.sql() == []
    statements: list[str] = []
    sharding.apply(statements.append)
    assert statements == []


def test_events_are_stored_once_and_ids_mean_one_event_whoever_sends_it(sharded: dict[str, int]) -> None:
    given = event(event_id=UUID(int=5))
    assert statuses(event(), event(), given, given) == ["accepted", "duplicate", "accepted", "duplicate"]
    assert statuses(event(), given) == ["duplicate", "duplicate"]
    assert statuses(event("bob", event_id=UUID(int=5))) == ["id_conflict"]
    assert (Event.objects.count(), EventKey.objects.count()) == (2, 1)


def test_lists_are_stored_once_by_either_way(sharded: dict[str, int]) -> None:
    lists = [served(sharded["heat"])]
    assert [impression_rows.insert(lists), impression_rows.insert(lists), impression_rows.copy(lists)] == [1, 0, 0]


def test_an_import_goes_in_once(sharded: dict[str, int], tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("item_id,title\na,Alpha\n")
    (tmp_path / "events.csv").write_text(
        "user_id,item_id,timestamp,value,event_type,event_id\nu1,a,2004-01-15T10:30:00Z,4.5,,\n"
        "u2,a,1705314600.25,,click,11111111-1111-4111-8111-111111111111\n"
    )
    assert import_dataset(tmp_path).events.new == 2
    assert import_dataset(tmp_path).events.duplicate == 2
    assert key_of(f"{EVENTS}_y2004") == WIDER
    profiles.merge("u1", "ann")
    # An import looks for what is stored already by the event alone: not even merging makes it forget.
    assert import_dataset(tmp_path).events.duplicate == 2


def test_merging_moves_everything(sharded: dict[str, int]) -> None:
    record([event("visitor"), event("ann", "up")])
    impression_rows.insert([served(sharded["heat"], "visitor")])
    assert profiles.merge("visitor", "ann") == profiles.Merged(events=1, impressions=1)
    assert set(Event.objects.values_list("user__user_id", flat=True)) == {"ann"}
    assert Impression.objects.get().user_id_text == "ann"


def test_what_is_sent_again_after_a_merge_is_found_by_the_usual_key_only(items: dict[str, int]) -> None:
    record([event("visitor"), event("visitor", "up", event_id=UUID(int=5))])
    profiles.merge("visitor", "ann")
    again = [event("visitor"), event("visitor", "up", event_id=UUID(int=5))]
    assert statuses(*again) == ["duplicate", "duplicate"]
    sharding.apply()
    assert statuses(*again) == ["accepted", "duplicate"]
    assert Event.objects.count() == 3
    # Merged once more, he has it once again.
    assert profiles.merge("visitor", "ann").events == 0
    assert sorted(Event.objects.values_list("user__user_id", flat=True)) == ["ann", "ann"]


def test_a_list_that_comes_again_after_a_merge_goes_with_the_next_merge(sharded: dict[str, int]) -> None:
    for expected in (1, 0):
        UserProfile.objects.get_or_create(user_id="visitor")
        assert impression_rows.insert([served(sharded["heat"], "visitor")]) == 1
        assert profiles.merge("visitor", "ann").impressions == expected
    assert Impression.objects.count() == 1


def test_an_erased_person_is_gone(sharded: dict[str, int]) -> None:
    record([event(), event(item_id="up", event_id=UUID(int=5)), event("bob")])
    impression_rows.insert([served(sharded["heat"])])
    receipt = erasure.erase_user("ann")
    assert [receipt[name] for name in ("events", "event_keys", "impressions", "profiles")] == [2, 1, 1, 1]
    assert Event.objects.get().user.user_id == "bob"
    assert not EventKey.objects.exists()


def test_what_is_popular_forgets_who_was_erased_when_the_window_moves(sharded: dict[str, int]) -> None:
    """Without the triggers nothing is owed; the full count of the next day has it right."""
    record([event(), event("bob")])
    item_scores.count()
    erasure.erase_user("ann")
    assert not item_scores.count().everything
    record([event("bob", "up", at=NOON + timedelta(days=1))])
    assert item_scores.count().everything


def test_retracting_and_retention_and_new_partitions(sharded: dict[str, int], settings: django_settings) -> None:
    record([event(), event(item_id="up")])
    assert retracting.retract("ann", sharded["heat"]) == 1
    old = NOON - timedelta(days=4000)
    run(
        f"INSERT INTO {EVENTS} (event_id, occurred_at, user_id, item_id, event_type_id) "
        f"VALUES (gen_random_uuid(), '{old.isoformat()}', 1, 1, 1)"
    )
    assert partitions.repair_default(EVENTS) == 1
    made = f"{EVENTS}_y{old.year}"
    assert key_of(made) == WIDER
    assert shard_obstacles.find() == []
    settings.INTERACTIONS_RETENTION_DAYS = 90
    assert made in retention.drop_old()
    assert Event.objects.get().item_id == sharded["up"]


@pytest.fixture
def scratch(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Tables of this test's own, first in the search path, whose transactions really commit; a partition a year."""
    tables = import_module("interactions.migrations.0002_partitions_and_event_types").TABLES
    with django_db_blocker.unblock():
        try:
            run(f"CREATE SCHEMA scratch; SET search_path TO scratch, public; {tables}")
            for year in (2001, 2002):
                partitions.ensure(EVENTS, datetime(year, 1, 1, tzinfo=UTC), datetime(year, 1, 1, tzinfo=UTC))
            run(f"{INSERT} {ROWS} FROM generate_series(1, 999) AS made (n)")
            yield
        finally:
            connection.close()
            run("DROP SCHEMA IF EXISTS scratch CASCADE")
            connection.close()


INSERT = f"INSERT INTO {EVENTS} (event_id, occurred_at, user_id, item_id, event_type_id)"
ROWS = "SELECT gen_random_uuid(), timestamptz '2000-01-01' + n * interval '1 day', n, n, 1"


@pytest.mark.usefixtures("scratch")
def test_writers_go_on_meanwhile_and_lose_nothing() -> None:
    done, written, failures = threading.Event(), [], []

    def write() -> None:
        try:
            run("SET search_path TO scratch, public")
            while not done.is_set():
                run(f"{INSERT} {ROWS} FROM generate_series(1, 900, 300) AS made (n)")
                written.append(3)
        except Exception as error:  # noqa: BLE001 -- told by the test's own thread
            failures.append(error)
        finally:
            connections.close_all()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        sharding.apply()
    finally:
        done.set()
        writer.join()
    assert failures == []
    assert written
    assert asked(f"SELECT count(*) FROM {EVENTS}") == [999 + sum(written)]
    assert key_of(EVENTS) == WIDER


@pytest.mark.usefixtures("scratch")
@pytest.mark.parametrize("number", range(18))
def test_stopped_before_any_statement_it_goes_on_when_run_again(number: int) -> None:
    before, left = checksum(), iter(range(number))

    def stop(statement: str) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt(statement)

    with pytest.raises(KeyboardInterrupt):
        sharding.apply(stop)
    assert checksum() == before
    assert key_of(EVENTS) in (WIDER[:2], WIDER)
    again: list[str] = []
    sharding.apply(again.append)
    # Indexes that were built are not built again; a transaction is.
    assert len(again) <= 18 - min(number, 3)
    assert (checksum(), sharding.sql()) == (before, [])


@pytest.mark.usefixtures("scratch")
def test_an_index_whose_build_was_broken_off_is_built_anew_and_a_finished_one_is_not() -> None:
    first, second, *_ = sharding.sql()
    run(first)
    run(second)
    run(f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{EVENTS}_default_sharded'::regclass")
    built = asked(f"SELECT '{EVENTS}_y2001_sharded'::regclass::oid")
    assert sharding.sql()[0] == f"DROP INDEX CONCURRENTLY {EVENTS}_default_sharded"
    sharding.apply()
    assert asked(f"SELECT '{EVENTS}_y2001_pkey'::regclass::oid") == built
    assert sharding.sql() == []


@pytest.mark.usefixtures("scratch")
def test_rows_that_would_break_the_new_key_refuse_it_and_leave_no_trace() -> None:
    run(f"ALTER TABLE {EVENTS} DROP CONSTRAINT {EVENTS}_pkey")
    twice = f"{INSERT} VALUES ('{UUID(int=9)}', '2001-05-05', 1, 1, 1)"
    run(f"{twice}; {twice}")
    with pytest.raises(sharding.NotSharded, match=r"has rows twice under \(event_id, occurred_at, user_id\)"):
        sharding.apply()
    assert key_of(EVENTS) == []
    assert asked(f"SELECT to_regclass('{EVENTS}_y2001_sharded')") == [None]
    run(f"DELETE FROM {EVENTS} WHERE event_id = '{UUID(int=9)}'")
    sharding.apply()
    assert key_of(EVENTS) == WIDER


@pytest.mark.usefixtures("scratch")
def test_a_busy_table_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharding, "LOCK_SECONDS", 0.2)
    other = connection.copy()

    def hold(statement: str) -> None:
        if statement.startswith("SET LOCAL") and other.connection is None:
            other.ensure_connection()
            other.set_autocommit(False)
            with other.cursor() as cursor:
                cursor.execute("SET search_path TO scratch, public")
                cursor.execute(f"{INSERT} VALUES ('{UUID(int=9)}', '2001-05-05', 1, 1, 1)")

    try:
        with pytest.raises(sharding.NotSharded, match="interactions_event is busy and stays as it is; run it again"):
            sharding.apply(hold)
        assert key_of(EVENTS) == WIDER[:2]
        other.commit()
    finally:
        other.close()
    sharding.apply()
    assert asked(f"SELECT count(*) FROM {EVENTS}") == [1000]


@pytest.mark.usefixtures("scratch")
def test_the_script_does_the_same() -> None:
    for statement in sharding.sql():
        run(statement)
    assert sharding.sql() == []
    with pytest.raises(IntegrityError):
        run(f"{INSERT} SELECT event_id, occurred_at, user_id, 2, 1 FROM {EVENTS} LIMIT 1")


def test_no_two_tables_are_said_to_lie_side_by_side() -> None:
    assert sharding.citus_sql() == [
        "SELECT create_distributed_table('interactions_event', 'user_id', colocate_with => 'none')",
        "SELECT create_distributed_table('interactions_impression', 'user_id', colocate_with => 'none')",
        "SELECT create_distributed_table('interactions_eventkey', 'event_id', colocate_with => 'none')",
    ]
