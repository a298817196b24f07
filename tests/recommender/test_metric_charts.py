from __future__ import annotations

import pytest

from recommender.metric_charts import Measured, comparison, history, ticks_up_to


@pytest.mark.parametrize(
    ("largest", "ticks"),
    [
        (0.29, [0, 0.1, 0.2, 0.3]),
        (0.17, [0, 0.05, 0.1, 0.15, 0.2]),
        (0.5, [0, 0.1, 0.2, 0.3, 0.4, 0.5]),
        (0.0612, [0, 0.02, 0.04, 0.06, 0.08]),
        (1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, [0, 1]),
    ],
)
def test_ticks_are_round_and_reach_the_largest(largest: float, ticks: list[float]) -> None:
    assert ticks_up_to(largest) == ticks


def test_lists_share_an_axis_from_zero() -> None:
    """0 … 0.4 on 150 … 610: 1150 a unit; lines of 28 from 16 on."""
    chart = comparison([Measured(name="final", value=0.2, low=0.1, high=0.4), Measured(name="popular", value=0.08)])
    assert [(tick.at, tick.label) for tick in chart.ticks] == [
        ("150.0", "0"),
        ("265.0", "0.1"),
        ("380.0", "0.2"),
        ("495.0", "0.3"),
        ("610.0", "0.4"),
    ]
    first, second = chart.marks
    assert (first.x, first.y, first.low, first.high) == ("380.0", "30.0", "265.0", "610.0")
    assert (second.x, second.y, second.low, second.high) == ("242.0", "58.0", "", "")
    assert (first.text, second.text) == ("0.2000 (0.1000–0.4000)", "0.0800")
    assert (chart.left, chart.right, chart.top, chart.bottom) == (150, 610, 16, 72)


def test_versions_stand_side_by_side() -> None:
    """Two columns of 350 between 50 and 750; 0 … 0.2 on 196 … 16: 900 a unit."""
    chart = history([Measured(name="v1", value=0.1, low=0.05, high=0.2), Measured(name="v2", value=0.2)])
    assert [(tick.at, tick.label) for tick in chart.ticks] == [
        ("196.0", "0"), ("151.0", "0.05"), ("106.0", "0.1"), ("61.0", "0.15"), ("16.0", "0.2"),
    ]  # fmt: skip
    first, second = chart.marks
    assert (first.x, first.y, first.low, first.high) == ("225.0", "106.0", "151.0", "16.0")
    assert (second.x, second.y) == ("575.0", "16.0")
    assert chart.path == "M225.0 106.0 L575.0 16.0"
