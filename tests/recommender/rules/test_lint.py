from __future__ import annotations

from typing import Any

import pytest

from recommender.rules.lint import findings, meet
from recommender.rules.schedule import Schedule
from recommender.rules.vocabulary import Action, Audience, Clause, Operator, RuleSpec
from tests.recommender.worlds import catalogue_of

CATALOGUE = catalogue_of({"category": "crime"}, {"category": "crime"}, {"category": "war"}, {"is_active": False})


def spec(pk: int, action: str, **fields: Any) -> RuleSpec:
    return RuleSpec(pk=pk, action=Action(action), name=f"rule {pk}", **fields)


def pin(pk: int, item: int, position: int = 1, **fields: Any) -> RuleSpec:
    return spec(pk, "pin", items=(item,), position=position, **fields)


def of(category: str) -> dict[str, Any]:
    return {"where": (Clause("category", Operator.IS, (category,)),)}


def said(*specs: RuleSpec, **fields: Any) -> list[tuple[bool, tuple[int, ...]]]:
    return [(finding.is_error, finding.rules) for finding in findings(specs, CATALOGUE, now=1000.0, **fields)]


def test_rules_that_do_not_meet_have_nothing_said_of_them() -> None:
    assert said(pin(1, 10), pin(2, 20, 2), spec(3, "hide", **of("war"))) == []
    assert findings([], now=0.0) == []


def test_two_pins_of_equal_weight_on_a_place_are_refused_with_what_to_do() -> None:
    [finding] = findings([pin(1, 10), pin(2, 20)], now=0.0)
    assert finding.is_error
    assert "both want position 1" in finding.message
    assert "Give one of them another position" in finding.message


def test_the_less_important_of_two_pins_is_told() -> None:
    assert said(pin(1, 10), pin(2, 20, priority=1)) == [(False, (1, 2))]


def test_an_item_pinned_twice_is_refused() -> None:
    assert said(pin(1, 10), pin(2, 10, 3)) == [(True, (1, 2))]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"audience": Audience(placements=("home",))}, {"audience": Audience(placements=("item",))}),
        ({"audience": Audience(countries=("FR",))}, {"audience": Audience(countries=("DE",))}),
        ({"schedule": Schedule(until=10.0)}, {"schedule": Schedule(since=10.0)}),
        ({"schedule": Schedule(weekdays=(1,))}, {"schedule": Schedule(weekdays=(2, 3))}),
    ],
)
def test_rules_for_others_or_for_other_times_do_not_meet(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert not meet(pin(1, 10, **one), pin(2, 20, **other))
    assert meet(pin(1, 10, **one), pin(2, 20))
    assert meet(pin(1, 10, **one), pin(2, 20, **one))


def test_hours_over_midnight_may_meet_the_next_day() -> None:
    night = Schedule(weekdays=(1,), opens=1320, closes=120)
    assert meet(pin(1, 10, schedule=night), pin(2, 20, schedule=Schedule(weekdays=(2,))))


def test_what_is_over_and_what_means_nothing_is_told() -> None:
    over = spec(1, "hide", **of("war"), schedule=Schedule(until=999.0))
    assert said(over) == [(False, (1,))]
    assert said(spec(2, "hide", **of("opera"))) == [(False, (2,))]
    assert said(pin(3, 99)) == [(False, (3,))]


def test_rules_that_leave_too_few_items_are_refused_together() -> None:
    include, exclude = spec(1, "include_only", **of("crime")), spec(2, "exclude", items=(10,))
    assert said(include, exclude, minimum=1) == []
    assert said(include, exclude, minimum=2) == [(True, (1, 2))]
    assert said(spec(1, "hide", **of("crime")), spec(2, "hide", **of("war")), minimum=1) == [(True, (1, 2))]
    # Of the items that can be shown at all.
    assert said(spec(1, "hide", **of("crime")), minimum=2) == [(True, (1,))]


def test_an_impossible_rule_is_an_error_and_not_looked_at_further() -> None:
    assert said(pin(1, 10), pin(2, 20, position=0), spec(3, "hide")) == [(True, (2,)), (True, (3,))]
    [finding, _] = findings([pin(2, 20, position=0), spec(3, "hide")], now=0.0)
    assert (finding.field, finding.message) == ("position", '"rule 2": A pin needs a position, 1 (first) to 100.')


CRIME = (Clause("category", Operator.IS, ("crime",)),)


@pytest.mark.parametrize(
    ("stricter", "other", "said"),
    [
        ({"at_most": 3, "window": 7}, {"at_most": 5, "window": 7}, True),
        ({"at_most": 3, "window": 7}, {"at_most": 3, "window": 2, "where": CRIME}, True),
        ({"at_most": 3, "window": 7, "where": CRIME}, {"at_most": 3, "window": 7, "where": CRIME}, True),
        ({"at_most": 3, "window": 7, "where": CRIME}, {"at_most": 5, "window": 7}, False),
        ({"at_most": 3, "window": 2}, {"at_most": 5, "window": 7}, False),
        (
            {"at_most": 3, "window": 7, "audience": Audience(countries=("FR",))},
            {"at_most": 5, "window": 7, "audience": Audience(countries=("DE",))},
            False,
        ),
    ],
)
def test_fatigue_that_another_rule_always_comes_before_is_told(
    stricter: dict[str, Any], other: dict[str, Any], said: bool
) -> None:
    specs = [
        RuleSpec(pk=1, action=Action.FATIGUE, name="a", **stricter),
        RuleSpec(pk=2, action=Action.FATIGUE, name="b", **other),
    ]
    found = findings(specs)
    expected = [(False, (2, 1), '"b" does nothing where "a" holds, which is stricter.')] if said else []
    assert [(one.is_error, one.rules, one.message) for one in found] == expected
