from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.rules.placing import Cap, Pin, Placed, Promotion, place, rows_of, spread

ORGANIC = np.arange(10, 20)


def shown(limit: int = 6, organic: Any = ORGANIC, **fields: Any) -> list[int]:
    return rows_of(place(np.asarray(organic, dtype=np.int64), limit, **fields)).tolist()


def parity(row: int) -> list[int]:
    return [row % 2]


def test_without_rules_the_best_stand_in_their_order() -> None:
    assert shown(3) == [10, 11, 12]
    assert place(ORGANIC, 1) == [Placed(10, None)]


def test_a_pin_stands_at_its_place_whether_it_was_organic_or_not() -> None:
    assert shown(4, pins=[Pin(1, 99, 1), Pin(3, 10, 2)]) == [11, 99, 12, 10]


def test_of_two_pins_on_a_place_and_of_two_of_an_item_the_first_stands() -> None:
    assert shown(3, pins=[Pin(1, 99, 1), Pin(1, 98, 2), Pin(2, 99, 3)]) == [10, 99, 11]


def test_a_pin_behind_the_end_is_none() -> None:
    assert shown(3, pins=[Pin(3, 99, 1)]) == [10, 11, 12]


def test_a_list_that_ends_early_closes_up() -> None:
    assert shown(6, organic=[10], pins=[Pin(3, 99, 1), Pin(5, 98, 2)]) == [10, 99, 98]


def test_a_soft_pin_stands_no_later_than_its_place() -> None:
    assert shown(5, soft_pins=[Pin(2, 99, 1)]) == [10, 11, 99, 12, 13]
    # Its score puts it first.
    assert place(ORGANIC, 3, soft_pins=[Pin(2, 10, 1)])[0] == Placed(10, None)
    # The place is taken: the nearest before it.
    assert shown(5, pins=[Pin(2, 98, 1)], soft_pins=[Pin(2, 99, 2)]) == [10, 99, 98, 11, 12]


@pytest.mark.parametrize(
    ("places", "limit", "expected"),
    [(1, 10, [5]), (2, 10, [2, 7]), (3, 6, [1, 3, 5]), (3, 3, [0, 1, 2]), (5, 2, [0, 1]), (0, 4, [])],
)
def test_promoted_places_are_spread_evenly(places: int, limit: int, expected: list[int]) -> None:
    assert spread(places, limit) == expected


def test_a_promotion_takes_its_places_best_first() -> None:
    assert shown(6, promotions=[Promotion(rule=1, places=2, rows=[98, 14, 97])]) == [10, 98, 11, 12, 14, 13]
    # Fewer items than places.
    assert shown(6, promotions=[Promotion(rule=1, places=3, rows=[98])]) == [10, 98, 11, 12, 13, 14]
    # A pin holds one of its places: the next one behind.
    assert shown(6, pins=[Pin(1, 99, 1)], promotions=[Promotion(rule=2, places=2, rows=[98, 97])]) == [
        10, 99, 98, 11, 97, 12,
    ]  # fmt: skip


def test_a_cap_holds_in_every_window_around_pins_as_well() -> None:
    cap = Cap(at_most=1, window=2, values=parity)
    assert shown(4, caps=[cap]) == [10, 11, 12, 13]
    assert shown(4, organic=[10, 12, 14, 11, 13], caps=[cap]) == [10, 11, 12, 13]
    # 21 at place 2 is odd: its neighbours are even, so 11 waits until place 0 or 4.
    assert shown(4, organic=[11, 13, 10, 12], pins=[Pin(2, 21, 1)], caps=[cap]) == [11, 10, 21, 12]
    # Two pins that a cap forbids together: the less important one stands aside.
    assert shown(3, pins=[Pin(0, 21, 1), Pin(1, 23, 2)], caps=[cap]) == [21, 10, 11]


def test_where_the_cap_leaves_nobody_the_list_is_shorter() -> None:
    assert shown(4, organic=[10, 12, 14], caps=[Cap(at_most=2, window=9, values=parity)]) == [10, 12]


def test_the_organic_share_makes_the_least_important_stand_aside() -> None:
    pins = [Pin(0, 99, 1), Pin(1, 98, 2), Pin(2, 97, 3)]
    assert shown(4, pins=pins, organic_share=0.5) == [99, 98, 10, 11]
    assert shown(4, pins=pins, organic_share=1.0) == [10, 11, 12, 13]
    # Of a list that ends early the share is of what there is.
    assert shown(4, organic=[10], pins=pins, organic_share=0.5) == [99, 10]


places_in = st.integers(0, 9)
rows_in = st.integers(0, 30)
pins_in = st.lists(st.builds(Pin, places_in, rows_in, st.integers(1, 99)), max_size=5)
caps_in = st.lists(
    st.builds(
        lambda at_most, more, of: Cap(
            at_most=at_most, window=at_most + more, values=lambda row: [row % of] if row % 5 else []
        ),
        st.integers(1, 3),
        st.integers(0, 3),
        st.integers(1, 4),
    ),
    max_size=2,
)
promotions_in = st.lists(
    st.builds(
        lambda places, rows: Promotion(rule=100, places=places, rows=rows),
        st.integers(0, 4),
        st.lists(rows_in, max_size=6, unique=True),
    ),
    max_size=2,
)


@given(
    organic=st.lists(rows_in, max_size=20, unique=True),
    limit=st.integers(1, 10),
    pins=pins_in,
    soft_pins=pins_in,
    promotions=promotions_in,
    caps=caps_in,
    share=st.sampled_from([0.0, 0.25, 0.5, 0.7, 1.0]),
)
def test_whatever_the_rules_the_list_keeps_its_promises(
    organic: list[int],
    limit: int,
    pins: list[Pin],
    soft_pins: list[Pin],
    promotions: list[Promotion],
    caps: list[Cap],
    share: float,
) -> None:
    rules: dict[str, Any] = {"pins": pins, "soft_pins": soft_pins, "promotions": promotions, "caps": caps}
    found = place(np.array(organic, dtype=np.int64), limit, **rules, organic_share=share)
    rows = [one.row for one in found]
    assert len(rows) == len(set(rows)) <= limit
    assert found == place(np.array(organic, dtype=np.int64), limit, **rules, organic_share=share)
    for cap in caps:
        for start in range(len(rows)):
            counts = Counter(value for row in rows[start : start + cap.window] for value in cap.values(row))
            assert all(count <= cap.at_most for count in counts.values())
    assert sum(one.rule is None for one in found) >= math.ceil(share * len(found) - 1e-9)
    by_score = [one.row for one in found if one.rule is None]
    assert set(by_score) <= set(organic)
    if not caps:
        assert by_score == [row for row in organic if row in by_score]
        # The most important pin stands at its place, or at the end of a list that is shorter.
        if pins and pins[0].place < limit and share == 0:
            assert rows.index(pins[0].row) <= pins[0].place
            if len(organic) > limit:
                assert rows.index(pins[0].row) == pins[0].place
    if not (pins or soft_pins or promotions or caps):
        assert rows == organic[:limit]
