from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from recommender.rules.schedule import Schedule


def paris(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Paris")).timestamp()


def test_without_limits_it_is_always_in_effect() -> None:
    assert (Schedule().contains(0.0), Schedule().changes_after(0.0)) == (True, float("inf"))


def test_it_begins_at_its_start_and_is_over_at_its_end() -> None:
    schedule = Schedule(since=100.0, until=200.0)
    assert [schedule.contains(now) for now in (99.9, 100.0, 199.9, 200.0)] == [False, True, True, False]
    assert [schedule.changes_after(now) for now in (50.0, 100.0, 200.0)] == [100.0, 200.0, float("inf")]


# 2026-11-20 is a Friday.
@pytest.mark.parametrize(
    ("fields", "inside", "outside"),
    [
        ({"weekdays": (5,)}, ["2026-11-20 00:00", "2026-11-20 23:59"], ["2026-11-19 23:59", "2026-11-21 00:00"]),
        (
            {"opens": 1080, "closes": 1320},
            ["2026-11-20 18:00", "2026-11-20 21:59"],
            ["2026-11-20 17:59", "2026-11-20 22:00"],
        ),
        # Over midnight; the weekday is that of the evening.
        (
            {"opens": 1320, "closes": 120, "weekdays": (5,)},
            ["2026-11-20 22:00", "2026-11-21 01:59"],
            ["2026-11-20 01:00", "2026-11-20 21:59", "2026-11-21 02:00", "2026-11-21 22:00"],
        ),
        # The night on which clocks go back has two hours that begin at two.
        ({"opens": 120, "closes": 180}, ["2026-10-25 02:00", "2026-10-25 02:59"], ["2026-10-25 03:00"]),
    ],
)
def test_days_and_hours_are_those_of_the_place(fields: dict[str, Any], inside: list[str], outside: list[str]) -> None:
    schedule = Schedule(**fields, time_zone="Europe/Paris")
    assert [schedule.contains(paris(moment)) for moment in inside] == [True] * len(inside)
    assert [schedule.contains(paris(moment)) for moment in outside] == [False] * len(outside)


def test_with_hours_it_is_looked_at_each_minute() -> None:
    schedule = Schedule(opens=60, closes=120, since=30.0)
    assert [schedule.changes_after(now) for now in (0.0, 30.0, 59.9, 60.0)] == [30.0, 60.0, 60.0, 120.0]
