"""Whom a list has tired: counted by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interactions.feature_store import HISTORY_RECORD
from interactions.shown import RECORD
from recommender.rules.fatigue import SECONDS_A_DAY, Fatigue, tired
from tests.recommender.worlds import catalogue_of

CATALOGUE = catalogue_of({}, {}, {})
"""Keys 10, 20, 30 in rows 0, 1, 2."""
NOW = 1_000_000_000.0


def at(*ages: float) -> list[int]:
    """Return moments so many days ago."""
    return [int(NOW - age * SECONDS_A_DAY) for age in ages]


def rule(times: int, days: float, rows: Sequence[int] | None = None) -> Fatigue:
    about = None if rows is None else np.array(rows, dtype=np.int64)
    return Fatigue(rule=1, times=times, seconds=days * SECONDS_A_DAY, rows=about)


def found(
    shown: dict[int, list[int]], *rules: Fatigue, acts: Sequence[tuple[int, float]] = (), now: float = NOW
) -> list[int]:
    records = np.array([(pk, moment) for pk, moments in shown.items() for moment in moments], dtype=RECORD)
    events = np.array([(pk, moment, 0, 1, 0) for pk, moment in acts], dtype=HISTORY_RECORD)
    return tired(rules, records, lambda: events, CATALOGUE, now).tolist()


def test_after_so_many_times_and_not_before() -> None:
    shown = {10: at(1, 2, 3), 20: at(1, 2), 30: at(1, 2, 3, 4)}
    assert found(shown, rule(3, 7)) == [0, 2]
    assert found(shown, rule(5, 7)) == []
    assert found({}, rule(1, 7)) == []


def test_what_lies_outside_its_days_does_not_count() -> None:
    shown = {10: at(1, 2, 8), 20: at(1, 2, 6)}
    assert found(shown, rule(3, 7)) == [1]
    # Two days later only one of the three lies within seven days of each other's end.
    assert found(shown, rule(3, 7), now=NOW + 2 * SECONDS_A_DAY) == []


def test_an_act_with_it_starts_the_count_anew() -> None:
    shown = {10: at(1, 2, 3), 20: at(1, 2, 3)}
    assert found(shown, rule(3, 7), acts=[(10, NOW - 2.5 * SECONDS_A_DAY)]) == [1]
    assert found(shown, rule(2, 7), acts=[(10, NOW - 2.5 * SECONDS_A_DAY)]) == [0, 1]
    # What he did before he was shown it is no answer to that; of several acts the newest counts.
    acts = [(20, NOW - 5 * SECONDS_A_DAY), (10, NOW - 4 * SECONDS_A_DAY), (10, NOW - 0.5 * SECONDS_A_DAY)]
    assert found(shown, rule(3, 7), acts=acts) == [1]


def test_two_rows_of_a_page_show_it_once() -> None:
    assert found({10: at(1, 1, 1)}, rule(2, 7)) == []
    assert found({10: at(1, 1, 2)}, rule(2, 7)) == [0]


def test_a_rule_is_about_what_it_names_and_rules_add_up() -> None:
    shown = {10: at(1, 2, 3), 20: at(1, 2, 3), 30: at(1)}
    assert found(shown, rule(3, 7, rows=[1, 2])) == [1]
    assert found(shown, rule(3, 7, rows=[1]), rule(1, 2, rows=[2])) == [1, 2]
    assert found(shown, rule(3, 7, rows=[])) == []


def test_an_item_that_is_gone_tires_nobody() -> None:
    assert found({99: at(1, 2, 3)}, rule(1, 7)) == []


MOMENTS = st.integers(0, 9).map(lambda day: int(NOW - day * SECONDS_A_DAY) + 1)


@given(
    shown=st.dictionaries(st.sampled_from([10, 20, 30]), st.lists(MOMENTS, max_size=6)),
    acts=st.lists(st.tuples(st.sampled_from([10, 20, 30]), MOMENTS), max_size=4),
    times=st.integers(1, 4),
    days=st.integers(1, 8),
)
def test_it_is_what_counting_one_by_one_gives(shown: Any, acts: Any, times: int, days: int) -> None:
    expected = []
    for row, pk in enumerate((10, 20, 30)):
        since = max([moment for acted, moment in acts if acted == pk], default=0)
        counted = {moment for moment in shown.get(pk, []) if moment > since and moment > NOW - days * SECONDS_A_DAY}
        if len(counted) >= times:
            expected.append(row)
    assert found(shown, rule(times, days), acts=acts) == expected


@pytest.mark.parametrize("count", [0, 1, 2000])
def test_of_nobody_and_of_many_it_is_an_array_of_rows(count: int) -> None:
    shown = {10: [int(NOW) - number for number in range(count)]}
    records = np.array([(10, moment) for moment in shown[10]], dtype=RECORD)
    rows = tired([rule(2, 7)], records, lambda: np.empty(0, dtype=HISTORY_RECORD), CATALOGUE, NOW)
    assert (rows.dtype, rows.tolist()) == (np.int64, [0] if count > 1 else [])
