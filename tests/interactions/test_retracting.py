from __future__ import annotations

import pytest

from interactions import features
from interactions.models import Event
from interactions.retracting import retract
from tests.interactions.test_recording import event, record


@pytest.fixture
def done(committed: dict[str, int]) -> dict[str, int]:
    """Ann has turned Heat down and watched it and Alien, Bob has turned Heat down."""
    record([
        event("heat", "not_interested"),
        event("heat", "watch"),
        event("alien", "watch"),
        event("heat", "not_interested", user_id="bob"),
    ])  # fmt: skip
    return committed


def left() -> list[tuple[str, str, int]]:
    rows = Event.objects.values_list("user__user_id", "event_type__name", "item_id")
    return sorted(rows)


def test_what_was_said_of_an_item_is_taken_back_and_the_rest_stays(done: dict[str, int]) -> None:
    assert features.load("ann")[0].item_pks.tolist().count(done["heat"]) == 2
    assert retract("ann", done["heat"], ["not_interested"]) == 1
    assert left() == sorted([
        ("ann", "watch", done["heat"]), ("ann", "watch", done["alien"]), ("bob", "not_interested", done["heat"]),
    ])  # fmt: skip
    assert features.load("ann")[0].item_pks.tolist().count(done["heat"]) == 1


def test_all_that_was_done_with_an_item_can_go(done: dict[str, int]) -> None:
    assert retract("ann", done["heat"]) == 2
    assert features.load("ann")[0].item_pks.tolist() == [done["alien"]]
    assert done["heat"] not in features.load("ann")[0].seen_pks.tolist()


@pytest.mark.parametrize(("user_id", "item"), [("ann", "up"), ("nobody", "heat")])
def test_where_there_is_nothing_nothing_changes(done: dict[str, int], user_id: str, item: str) -> None:
    before = left()
    assert retract(user_id, done[item]) == 0
    assert left() == before
