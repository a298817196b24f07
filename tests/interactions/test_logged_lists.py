"""What a user was shown lately, and what he took from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from catalog.models import Item
from interactions import impression_rows
from interactions.contracts import EventInput, ServedItem, ServedList
from interactions.logged_lists import LoggedItem, LoggedList, lists_of
from interactions.recording import record

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def items() -> list[Item]:
    return [Item.objects.create(item_id=name, title=name) for name in ("heat", "ronin")]


def show(items: list[Item], at: datetime, user_id: str = "ann", placement: str = "homepage") -> UUID:
    request_id = uuid4()
    served = tuple(
        ServedItem(item_pk=item.pk, position=position, source="popular", propensity=propensity)
        for position, (item, propensity) in enumerate(zip(items, (1.0, 0.25), strict=False))
    )
    impression_rows.insert(
        [
            ServedList(
                request_id=request_id,
                shown_at=at.timestamp(),
                user_id=user_id,
                placement=placement,
                model_version="v1",
                rules_version=1,
                items=served,
            )
        ]
    )
    return request_id


def take(request_id: UUID, item_id: str, at: datetime, user_id: str = "ann", event_type: str = "click") -> None:
    event = EventInput(user_id=user_id, item_id=item_id, event_type=event_type, occurred_at=at, request_id=request_id)
    assert [verdict.status for verdict in record([event])] == ["accepted"]


def test_a_list_comes_with_what_was_taken_from_it(items: list[Item]) -> None:
    request_id = show(items, NOON)
    take(request_id, "ronin", NOON + timedelta(minutes=1))
    take(request_id, "heat", NOON + timedelta(minutes=1), event_type="impression")
    take(request_id, "heat", NOON + timedelta(minutes=1), user_id="bob")
    assert lists_of("ann", 5, since=NOON, placements=["homepage"]) == [
        LoggedList(
            request_id=request_id,
            placement="homepage",
            shown_at=NOON,
            device="",
            items=(
                LoggedItem(item_pk=items[0].pk, position=0, propensity=1.0, taken=False),
                LoggedItem(item_pk=items[1].pk, position=1, propensity=0.25, taken=True),
            ),
        )
    ]


def test_what_counts_as_taking_may_be_one_kind_of_event(items: list[Item]) -> None:
    request_id = show(items, NOON)
    take(request_id, "ronin", NOON + timedelta(minutes=1))
    take(request_id, "heat", NOON + timedelta(minutes=1), event_type="watch")

    def taken(event_type: str) -> list[bool]:
        [found] = lists_of("ann", 5, since=NOON, placements=["homepage"], event_type=event_type)
        return [item.taken for item in found.items]

    assert (taken("watch"), taken("click"), taken("purchase")) == ([True, False], [False, True], [False, False])


def test_the_newest_lists_of_the_placements_come_first_and_others_not_at_all(items: list[Item]) -> None:
    old, new = show(items, NOON), show(items, NOON + timedelta(hours=1))
    show(items, NOON + timedelta(hours=2), placement="trending")
    show(items, NOON + timedelta(hours=2), user_id="bob")
    show(items, NOON - timedelta(seconds=1))

    def found(n: int) -> list[UUID]:
        return [one.request_id for one in lists_of("ann", n, since=NOON, placements=["homepage"])]

    assert (found(5), found(1)) == ([new, old], [new])
    assert lists_of("nobody", 5, since=NOON, placements=["homepage"]) == []
