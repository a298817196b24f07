from __future__ import annotations

from datetime import date

from experiments.analysis.findings import Look
from experiments.analysis.sample import Effect
from experiments.timeline_plot import timelines


def look(day: int, estimate: float, margin: float, message: str = "", p: float = 0.5) -> Look:
    effect = Effect(
        estimate=estimate, low=estimate - margin, high=estimate + margin, standard_error=0.1, p=p, message=message
    )
    return Look(day=date(2026, 1, day), users={"a": day, "b": day}, effects={"b": effect})


def test_days_stand_at_their_distance_and_heights_on_one_scale() -> None:
    """Days 1, 2 and 5 of an axis from 90 to 628; heights from +0.4 (12) to -0.2 (168): 260 units a whole."""
    [drawn] = timelines([look(1, 0.1, 0.3), look(2, 0.1, 0.2), look(5, 0.2, 0.1)], is_share=False)
    assert drawn.line == "90.0,90.0 224.5,90.0 628.0,64.0"
    assert drawn.band == "90.0,12.0 224.5,38.0 628.0,38.0 628.0,90.0 224.5,142.0 90.0,168.0"
    assert (drawn.zero, drawn.top, drawn.bottom) == ("116.0", "+0.4", "-0.2")
    assert (drawn.first, drawn.last) == ("2026-01-01", "2026-01-05")
    assert drawn.dots[0] == ("90.0", "90.0", "2026-01-01: +0.1 (-0.2 to +0.4)")


def test_the_p_value_never_rises_again() -> None:
    [drawn] = timelines([look(1, 0.1, 0.3), look(2, 0.1, 0.2, p=0.012), look(5, 0.2, 0.1)], is_share=False)
    assert drawn.p == "0.012"


def test_shares_are_said_in_points() -> None:
    [drawn] = timelines([look(1, 0.01, 0.02), look(2, 0.01, 0.01)], is_share=True)
    assert (drawn.top, drawn.bottom) == ("+3.00 points", "-1.00 points")


def test_a_wild_beginning_does_not_flatten_the_rest() -> None:
    days = [look(1, 5.0, 100.0), *(look(day, 1.0, 1.0) for day in range(2, 9))]
    [drawn] = timelines(days, is_share=False)
    assert (drawn.top, drawn.bottom) == ("+3", "-1")


def test_one_day_and_days_without_a_test_draw_nothing() -> None:
    assert timelines([], is_share=False) == []
    assert timelines([look(1, 0.1, 0.1)], is_share=False) == []
    assert timelines([look(1, 0.1, 0.1), look(2, 0.0, 0.0, "Too few.")], is_share=False) == []
