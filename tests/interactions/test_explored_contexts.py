from __future__ import annotations

from datetime import UTC, datetime

import pytest

from catalog.models import Item
from interactions import explored, explored_contexts
from interactions.explored_contexts import number, vector
from interactions.models import UserProfile
from tests.interactions.test_explored import NOW, nothing_held, show, take

__all__ = ["nothing_held"]


@pytest.mark.parametrize(
    ("own_country", "moment", "expected"),
    [
        (False, datetime(2026, 3, 20, 16, 59, tzinfo=UTC), 0),
        (True, datetime(2026, 3, 20, 16, 59, tzinfo=UTC), 1),
        (False, datetime(2026, 3, 20, 17, tzinfo=UTC), 2),
        (True, datetime(2026, 3, 21, 23, tzinfo=UTC), 7),
        (False, datetime(2026, 3, 22, 3, tzinfo=UTC), 4),
    ],
)
def test_a_context_is_numbered_by_its_bits(own_country: bool, moment: datetime, expected: int) -> None:
    assert number(own_country=own_country, at=moment.timestamp()) == expected


def test_a_context_stands_for_its_features() -> None:
    assert (vector(0), vector(3), vector(4)) == ([1, 0, 0, 0], [1, 1, 1, 0], [1, 0, 0, 1])
    assert len(vector(7)) == len(explored_contexts.FEATURES)


def test_what_impressions_say_later_is_what_the_request_knew(items: dict[str, int]) -> None:
    """Ann is French and so is Heat. Thursday morning twice, one of them taken; Thursday evening; Saturday evening."""
    UserProfile.objects.create(user_id="ann", country="FR")
    Item.objects.filter(item_id="heat").update(countries=["US", "FR"])
    heat, alien = items["heat"], items["alien"]
    taken = show(1, (heat, "exploration"), (alien, "exploration"))
    show(1, (heat, "exploration"), (alien, "content"))
    show(0.25, (heat, "exploration"))
    show(5.25, (alien, "exploration"))
    take(taken, "heat")
    take(taken, "heat", "like")
    assert explored_contexts.current() == {}
    explored.refresh()
    assert explored_contexts.current() == {heat: [(1, 2, 1), (3, 1, 0)], alien: [(0, 1, 0), (6, 1, 0)]}
    days_ago = {1: 1.0, 3: 0.25}
    assert [number(own_country=True, at=NOW - days * 86_400) for days in days_ago.values()] == list(days_ago)
