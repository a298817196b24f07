from __future__ import annotations

import random
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection, connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interactions import event_rows
from interactions.contracts import EventInput
from interactions.identity import content_digest, microseconds_since_epoch
from interactions.models import Event, EventKey, EventType, UserProfile
from recsite.local_services.server import wait_until

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOW = datetime(2026, 3, 2, tzinfo=UTC)


def row(item_pk: int, user_id: str = "ann", *, at: datetime = NOON, **fields: object) -> event_rows.EventRow:
    given_event = EventInput(user_id, str(item_pk), "watch", at, **fields)  # type: ignore[arg-type]
    microseconds = microseconds_since_epoch(at)
    digest = content_digest(user_id, str(item_pk), "watch", microseconds, given_event.value)
    event_id = digest if given_event.event_id is None else given_event.event_id.hex
    type_id = EventType.objects.get(name="watch").pk
    return event_rows.EventRow(0, given_event, item_pk, type_id, microseconds, digest, event_id)


def test_every_column_reaches_its_place(db: None) -> None:
    UserProfile.objects.create(user_id="ann")
    at = datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    context = {"quote": '"\\', "braces": "{NULL,}", "é": [1, {"a": None}]}
    full = row(7, at=at, event_id=UUID(int=1), value=1e-7, context=context, request_id=UUID(int=2))
    bare = row(8)
    assert event_rows.insert([full, bare], NOW) == event_rows.Known()
    first, second = Event.objects.select_related("user").order_by("item_id")
    assert (first.event_id, first.occurred_at, first.item_id, first.value) == (UUID(int=1), at, 7, 1e-7)
    assert (first.context, first.request_id, first.received_at) == (context, UUID(int=2), NOW)
    assert (second.event_id.hex, second.occurred_at, second.item_id) == (bare.event_id, NOON, 8)
    assert (second.value, second.context, second.request_id) == (None, None, None)
    assert list(EventKey.objects.values_list("event_id", "fingerprint")) == [(UUID(int=1), UUID(full.digest))]


@pytest.mark.parametrize(("threshold", "planned_once"), [(0, 3), (None, 0)])
def test_the_statement_is_prepared_where_the_connection_may(
    db: None, monkeypatch: pytest.MonkeyPatch, threshold: int | None, planned_once: int
) -> None:
    def executions() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT statement, generic_plans + custom_plans FROM pg_prepared_statements")
            return sum(number for statement, number in cursor.fetchall() if "INTO interactions_event\n" in statement)

    UserProfile.objects.create(user_id="ann")
    monkeypatch.setattr(connection.connection, "prepare_threshold", threshold)
    before = executions()
    for item_pk in (1, 2, 3):
        assert event_rows.insert([row(item_pk)], NOW) == event_rows.Known()
    assert executions() - before == planned_once
    assert list(Event.objects.order_by("item_id").values_list("item_id", flat=True)) == [1, 2, 3]


# Orders that differ between code points, UTF-16 units and languages, and what an array's literal must escape.
NAMES = [
    "a",
    "A",
    "b",
    "ä",
    "z",
    "Z",
    "_",
    "-1",
    "é",
    "\uff5e",
    "\U0001f600",
    "",
    '"',
    "\\",
    "{",
    ",",
    "NULL",
    "a b",
    "a,b",
]


def test_each_event_is_its_own_users_whatever_the_names(db: None) -> None:
    chance = random.Random(3)
    names = NAMES + [a + b for a in NAMES for b in NAMES if a and b]
    for name in chance.sample(names, len(names)):
        UserProfile.objects.get_or_create(user_id=name)
    wanted = chance.sample(sorted(set(names)), 200)
    rows = [row(number, name) for number, name in enumerate(wanted)]
    assert event_rows.insert(rows, NOW) == event_rows.Known()
    assert dict(Event.objects.values_list("item_id", "user__user_id")) == dict(enumerate(wanted))


@given(
    st.dictionaries(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5),
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5),
        max_size=4,
    )
)
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_any_text_of_a_context_is_stored_as_it_is(db: None, context: dict[str, str]) -> None:
    with transaction.atomic():
        UserProfile.objects.create(user_id="ann")
        event_rows.insert([row(1, context=context), row(2)], NOW)
        assert Event.objects.get(item_id=1).context == context
        transaction.set_rollback(True)


@pytest.mark.parametrize("consent", [None, "withheld"])
def test_nothing_is_stored_when_one_user_is_unknown_or_unwilling(db: None, consent: str | None) -> None:
    UserProfile.objects.create(user_id="ann")
    if consent is not None:
        UserProfile.objects.create(user_id="bob", consent=consent)
    assert event_rows.insert([row(1, event_id=UUID(int=1)), row(2, "bob")], NOW) is None
    assert not Event.objects.exists()
    assert not EventKey.objects.exists()


Around = Callable[[], AbstractContextManager[object]]
# In a transaction of the caller's a statement must not fail, alone it may.
somewhere = pytest.mark.parametrize("around", [transaction.atomic, nullcontext])


@somewhere
def test_tells_what_was_known_and_what_given_ids_stand_for(committed: dict[str, int], around: Around) -> None:
    UserProfile.objects.create(user_id="ann")
    first, derived = row(1, event_id=UUID(int=1)), row(2)
    other = row(3, event_id=UUID(int=1))
    with around():
        assert event_rows.insert([first, derived], NOW) == event_rows.Known()
        known = event_rows.insert([other, derived, row(4), row(5, event_id=UUID(int=5))], NOW)
    assert known == event_rows.Known(frozenset({other.event_id, derived.event_id}), {first.event_id: first.digest})
    assert sorted(Event.objects.values_list("item_id", flat=True)) == [1, 2, 4, 5]
    assert EventKey.objects.count() == 2


@somewhere
def test_an_id_that_was_forgotten_is_recognised_by_the_event_itself(committed: dict[str, int], around: Around) -> None:
    UserProfile.objects.create(user_id="ann")
    given_row = row(1, event_id=UUID(int=1))
    with around():
        event_rows.insert([given_row], NOW)
        EventKey.objects.all().delete()
        known = event_rows.insert([given_row], NOW)
    assert known == event_rows.Known(frozenset({given_row.event_id}), {given_row.event_id: given_row.digest})
    assert Event.objects.count() == 1


def test_no_rows_are_no_question(db: None, django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert event_rows.insert([], NOW) == event_rows.Known()


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])


def test_the_statement_waits_for_a_users_erasure_and_finds_him_gone(committed: dict[str, int]) -> None:
    ann = UserProfile.objects.create(user_id="ann")
    found: list[object] = []

    def insert(at: datetime) -> None:
        try:
            found.append(event_rows.insert([row(1, at=at)], NOW))
        finally:
            connections.close_all()

    with transaction.atomic():
        UserProfile.objects.select_for_update().get(pk=ann.pk)
        writer = threading.Thread(target=insert, args=(NOON + timedelta(seconds=1),))
        writer.start()
        assert wait_until(_somebody_waits, 30, writer.is_alive)
        assert found == []
        ann.delete()
    writer.join()
    assert found == [None]
    assert not Event.objects.exists()
