from __future__ import annotations

import math

from experiments.analysis.sample import Effect
from experiments.interval_plot import Bar, bars


def effect(low: float, estimate: float, high: float, message: str = "") -> Effect:
    return Effect(estimate=estimate, low=low, high=high, standard_error=1.0, p=0.5, message=message)


def test_all_bars_share_a_scale_that_includes_zero() -> None:
    """-1 … 6 on 8 … 232: 32 a unit, zero at 40."""
    assert bars([effect(-1, 1, 3), effect(2, 4, 6)]) == [
        Bar(low="8.0", width="128.0", estimate="72.0", zero="40.0"),
        Bar(low="104.0", width="128.0", estimate="168.0", zero="40.0"),
    ]


def test_all_below_zero() -> None:
    assert bars([effect(-4, -3, -2)]) == [Bar(low="8.0", width="112.0", estimate="64.0", zero="232.0")]


def test_there_is_no_bar_without_an_interval() -> None:
    assert bars([effect(0, 0, 0, "nothing"), effect(1, 2, math.inf)]) == [None, None]
    assert bars([]) == []
