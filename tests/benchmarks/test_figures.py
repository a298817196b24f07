from __future__ import annotations

import pytest

from tests.benchmarks.figures import Row, Target, at_least, at_most, milliseconds, readable


@pytest.mark.parametrize(
    ("target", "value", "met"),
    [
        (at_least(0.15), 0.15, True),
        (at_least(0.15), 0.149, False),
        (at_most(10), 10.0, True),
        (at_most(10), 10.1, False),
        (at_most(0), 0.0, True),
        (None, 1.0, None),
        (at_least(0.15), None, None),
    ],
)
def test_a_target_is_met_by_its_own_value(target: Target | None, value: float | None, met: bool | None) -> None:
    assert Row(name="a: b", value=value, unit="", target=target).met is met


def test_times_become_three_rows_in_milliseconds() -> None:
    rows = milliseconds("a: b", [0.001 * number for number in range(101)], targets={95: at_most(90)})
    assert [(row.name, row.value, row.unit, row.met) for row in rows] == [
        ("a: b p50", pytest.approx(50), "ms", None),
        ("a: b p95", pytest.approx(95), "ms", False),
        ("a: b p99", pytest.approx(99), "ms", None),
    ]


def test_figures_are_written_with_the_digits_that_say_something() -> None:
    assert [readable(value) for value in (52_345.6, 20.0, 3.14159, 0.16913, 1e-6)] == [
        "52,346", "20", "3.14", "0.1691", "1e-06",
    ]  # fmt: skip
