"""Coordinates of lines, worked out by hand: the plot is 48..456 wide and 168..10 high."""

from __future__ import annotations

from datetime import date, timedelta

from recsite import day_charts

DAYS = [date(2026, 3, 1) + timedelta(days=number) for number in range(4)]


def test_values_stand_where_their_day_and_size_put_them() -> None:
    chart = day_charts.lines("Rate", DAYS, {"homepage": [0.0, 5.0, None, 10.0]}, unit="%")
    (line,) = chart.lines
    assert [tick.label for tick in chart.ticks] == ["0%", "2%", "4%", "6%", "8%", "10%"]
    assert [(dot.x, dot.y) for dot in line.dots] == [("48.0", "168.0"), ("184.0", "89.0"), ("456.0", "10.0")]
    assert line.path == "M48.0 168.0 L184.0 89.0 M456.0 10.0"  # broken where nothing is known
    assert (line.latest, line.dots[1].text) == ("10%", "2026-03-02: 5%")


def test_the_last_day_is_always_labelled() -> None:
    chart = day_charts.lines("Rate", [DAYS[0] + timedelta(days=number) for number in range(30)], {})
    assert [day.label for day in chart.days] == ["6 Mar", "12 Mar", "18 Mar", "24 Mar", "30 Mar"]


def test_nothing_known_is_no_line() -> None:
    chart = day_charts.lines("Rate", DAYS, {"homepage": [None] * 4})
    assert (chart.lines[0].path, chart.lines[0].dots, chart.lines[0].latest) == ("", (), "")
    assert [tick.label for tick in chart.ticks] == ["0", "1"]


def test_there_are_no_more_lines_than_can_be_told_apart() -> None:
    series = {f"row {number}": [1.0] * 4 for number in range(9)}
    assert len(day_charts.lines("Rate", DAYS, series).lines) == day_charts.MOST_LINES
