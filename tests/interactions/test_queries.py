from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from interactions import event_keys, queries
from interactions.contracts import EventInput
from interactions.models import EventKey, UserProfile
from interactions.queries import DemoUser, EventCounts
from interactions.recording import record

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def act(user_id: str, item_id: str, minutes: int, event_type: str = "watch", value: float | None = None) -> None:
    record([EventInput(user_id, item_id, event_type, NOON + timedelta(minutes=minutes), UUID(int=minutes + 1), value)])


def test_reads_of_users_and_events(items: dict[str, int]) -> None:
    act("ann", "heat", 0)
    act("ann", "up", 2, "rating", 4.0)
    act("bob", "up", 1)
    record([EventInput("ann", "later", "watch", NOON)])
    assert queries.demo_users(5) == [DemoUser(user_id="ann", events=2), DemoUser(user_id="bob", events=1)]
    assert queries.demo_users(1) == [DemoUser(user_id="ann", events=2)]
    assert queries.event_counts() == EventCounts(events=3, users=2, dead_letters=1)
    assert {name: count for name, count in queries.events_by_type().items() if count} == {"rating": 1, "watch": 2}
    assert len(queries.events_by_type()) == 10
    assert queries.newest_event_at() == NOON + timedelta(minutes=2)
    assert queries.has_events() is True


def test_reads_of_nothing(db: None) -> None:
    assert queries.newest_event_at() is None
    assert queries.has_events() is False
    assert queries.demo_users() == []


def test_demo_users_have_agreed_to_be_recorded(items: dict[str, int]) -> None:
    act("ann", "heat", 0)
    UserProfile.objects.update(consent="withheld")
    assert queries.demo_users() == []


def test_old_event_ids_are_forgotten(items: dict[str, int]) -> None:
    act("ann", "heat", 0)
    act("ann", "heat", 1)
    EventKey.objects.filter(event_id=UUID(int=1)).update(received_at=NOON - timedelta(days=46))
    EventKey.objects.filter(event_id=UUID(int=2)).update(received_at=NOON - timedelta(days=44))
    assert event_keys.purge(now=NOON) == 1
    assert EventKey.objects.get().event_id == UUID(int=2)
    act("ann", "heat", 0)
    assert queries.event_counts().events == 2
