from __future__ import annotations

from typing import Any

import pytest

from recommender.rules.schedule import Schedule
from recommender.rules.validation import clause_error, errors
from recommender.rules.vocabulary import Action, Clause, Operator, RuleSpec

CRIME = (Clause("category", Operator.IS, ("crime",)),)


def spec(action: str, **fields: Any) -> RuleSpec:
    return RuleSpec(pk=1, action=Action(action), **fields)


@pytest.mark.parametrize(
    "rule",
    [
        spec("pin", items=(1,), position=1),
        spec("soft_pin", items=(1,), position=100),
        spec("promote", items=(1, 2), slots=2),
        spec("promote", where=CRIME, share=0.3),
        spec("boost", where=CRIME, multiplier=2),
        spec("bury", items=(1,), multiplier=0.5),
        spec("hide", where=CRIME, holdout=0.5),
        spec("cap", attribute="attribute.studio", at_most=1, window=2),
        spec("same_as_seed", attribute="category"),
        spec("organic_share", share=1.0),
        spec("fatigue", at_most=1, window=30),
        spec("fatigue", at_most=100, window=1, where=CRIME),
        spec("hide", items=(1,), schedule=Schedule(since=1, until=2, weekdays=(1, 7), opens=0, closes=60)),
    ],
)
def test_a_rule_that_says_all_it_needs_is_sound(rule: RuleSpec) -> None:
    assert errors(rule) == {}


@pytest.mark.parametrize(
    ("rule", "fields"),
    [
        (spec("pin"), {"items", "position"}),
        (spec("pin", items=(1, 2), position=1), {"items"}),
        (spec("pin", items=(1,), where=CRIME, position=101), {"items", "position"}),
        (spec("promote", items=(1,)), {"slots"}),
        (spec("promote", items=(1,), slots=1, share=0.5), {"slots"}),
        (spec("promote", slots=1), {"items"}),
        (spec("boost", where=CRIME), {"multiplier"}),
        (spec("boost", where=CRIME, multiplier=0.5), {"multiplier"}),
        (spec("boost", where=CRIME, multiplier=101), {"multiplier"}),
        (spec("boost", where=CRIME, multiplier=float("nan")), {"multiplier"}),
        (spec("bury", where=CRIME, multiplier=2), {"multiplier"}),
        (spec("hide"), {"items"}),
        (spec("hide", where=(Clause("colour", Operator.IS, ("red",)),)), {"where"}),
        (spec("cap", attribute="category", at_most=0, window=3), {"at_most"}),
        (spec("cap", attribute="category", at_most=3, window=3), {"window"}),
        (spec("cap", attribute="title", at_most=1, window=3), {"attribute"}),
        (spec("different_from_seed", attribute="attribute."), {"attribute"}),
        (spec("organic_share"), {"share"}),
        (spec("fatigue"), {"at_most", "window"}),
        (spec("fatigue", at_most=101, window=31), {"at_most", "window"}),
        (spec("hide", where=CRIME, holdout=0.95), {"holdout"}),
        (spec("hide", where=CRIME, schedule=Schedule(since=2, until=2)), {"active_until"}),
        (spec("hide", where=CRIME, schedule=Schedule(opens=5)), {"closes"}),
        (spec("hide", where=CRIME, schedule=Schedule(opens=5, closes=5)), {"closes"}),
        (spec("hide", where=CRIME, schedule=Schedule(weekdays=(0,))), {"weekdays"}),
        (spec("hide", where=CRIME, schedule=Schedule(time_zone="Mars/Phobos")), {"time_zone"}),
    ],
)
def test_what_is_impossible_is_said_at_its_field(rule: RuleSpec, fields: set[str]) -> None:
    assert set(errors(rule)) == fields


@pytest.mark.parametrize(
    ("field", "operator", "values", "message"),
    [
        ("colour", "is", ["red"], "There is no field 'colour'"),
        ("category", "is", [], "category needs a value."),
        ("category", "is", [" "], "category needs a value."),
        ("category", "is", ["x" * 501], "at most 1000 values of 500 characters"),
        ("category", "is", ["x"] * 1001, "at most 1000 values of 500 characters"),
        ("title", "at_least", ["5"], "title is a text"),
        ("year", "at_least", ["1", "2"], "at least or at most one number"),
        ("year", "contains", ["19"], "year is a number"),
        ("year", "is", ["soon"], "year needs a number, not 'soon'."),
        ("year", "is", ["nan"], "year needs a number, not 'nan'."),
        ("attribute.age", "at_most", ["(a+)+$"], "needs a number"),
    ],
)
def test_a_condition_that_cannot_be_asked_is_refused(
    field: str, operator: str, values: list[str], message: str
) -> None:
    assert message in clause_error(Clause(field, Operator(operator), tuple(values)))


def test_any_text_may_be_asked_for() -> None:
    for value in ("O'Brien", '"; DROP TABLE', "(a+)+$", "100%", "\\", "ß"):
        assert clause_error(Clause("title", Operator.CONTAINS, (value,))) == ""
