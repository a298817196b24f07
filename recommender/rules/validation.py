"""What makes a rule impossible, field by field, in words for editors."""

from __future__ import annotations

import math
from collections.abc import Callable
from zoneinfo import available_timezones

from interactions.shown import LONGEST_DAYS
from recommender.rules.matching import is_counted
from recommender.rules.vocabulary import (
    ATTRIBUTE,
    LIST_FIELDS,
    NUMBER_FIELDS,
    TEXT_FIELDS,
    Action,
    Clause,
    Operator,
    RuleSpec,
)

LAST_PLACE = 100
MOST_SHOWINGS = 100
MOST_VALUES = 1_000
LONGEST_VALUE = 500

_NEEDS_ITEMS = {
    Action.PROMOTE, Action.BOOST, Action.BURY, Action.HIDE, Action.EXCLUDE, Action.INCLUDE_ONLY,
}  # fmt: skip


def errors(spec: RuleSpec) -> dict[str, str]:
    """Return what is wrong, by the field it is wrong in; {} for a rule that can be published."""
    found: dict[str, str] = {}
    check = _CHECKS.get(spec.action)
    if check is not None:
        found |= check(spec)
    if spec.action in _NEEDS_ITEMS and not (spec.items or spec.where):
        found["items"] = "Say which items: pick some, or give a condition."
    for clause in spec.where:
        wrong = clause_error(clause)
        if wrong:
            found["where"] = wrong
            break
    if not 0 <= spec.holdout <= 0.9:
        found["holdout"] = "A holdout keeps 0 to 90 % of the users out."
    schedule = spec.schedule
    if schedule.since is not None and schedule.until is not None and schedule.since >= schedule.until:
        found["active_until"] = "The end must come after the start."
    if (schedule.opens is None) != (schedule.closes is None):
        found["closes"] = "Give both hours or none."
    elif schedule.opens is not None and schedule.opens == schedule.closes:
        found["closes"] = "The hours begin and end at once; leave both empty for all day."
    if schedule.time_zone not in available_timezones():
        found["time_zone"] = f"There is no time zone {schedule.time_zone!r}; one is Europe/Paris."
    if any(not 1 <= day <= 7 for day in schedule.weekdays):
        found["weekdays"] = "Weekdays are 1 (Monday) to 7 (Sunday)."
    return found


def clause_error(clause: Clause) -> str:
    """Return what is wrong with a condition on items, "" when nothing."""
    attribute = clause.field.startswith(ATTRIBUTE) and len(clause.field) > len(ATTRIBUTE)
    if not attribute and clause.field not in (*TEXT_FIELDS, *LIST_FIELDS, *NUMBER_FIELDS):
        known = ", ".join((*TEXT_FIELDS, *LIST_FIELDS, *NUMBER_FIELDS))
        return f"There is no field {clause.field!r}; there are {known}, and {ATTRIBUTE}NAME for an item's own."
    if not clause.values or any(not value.strip() for value in clause.values):
        return f"{clause.field} needs a value."
    if len(clause.values) > MOST_VALUES or any(len(value) > LONGEST_VALUE for value in clause.values):
        return f"{clause.field}: at most {MOST_VALUES} values of {LONGEST_VALUE} characters."
    bounds = clause.operator in (Operator.AT_LEAST, Operator.AT_MOST)
    if bounds and not (attribute or clause.field in NUMBER_FIELDS):
        return f"{clause.field} is a text; it can be, not be or contain something."
    if bounds and len(clause.values) > 1:
        return f"{clause.field} can be at least or at most one number."
    if clause.operator == Operator.CONTAINS and clause.field in NUMBER_FIELDS:
        return f"{clause.field} is a number; it can be at least, at most or exactly one."
    numbers = clause.field in NUMBER_FIELDS or bounds
    if numbers and not all(_is_number(value) for value in clause.values):
        return f"{clause.field} needs a number, not {clause.values[0]!r}."
    return ""


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _pin(spec: RuleSpec) -> dict[str, str]:
    found = {}
    if len(spec.items) != 1 or spec.where:
        found["items"] = "A pin needs exactly one item, and no condition."
    if not 1 <= spec.position <= LAST_PLACE:
        found["position"] = f"A pin needs a position, 1 (first) to {LAST_PLACE}."
    return found


def _promote(spec: RuleSpec) -> dict[str, str]:
    if bool(spec.slots) == bool(spec.share):
        return {"slots": "Give either a number of places or a share of the list."}
    if not 0 <= spec.slots <= LAST_PLACE or not 0 <= spec.share <= 1:
        return {"slots": f"0 to {LAST_PLACE} places, or 0 to 100 % of the list."}
    return {}


def _multiplier(least: float, most: float, message: str) -> Callable[[RuleSpec], dict[str, str]]:
    def check(spec: RuleSpec) -> dict[str, str]:
        return {} if least <= spec.multiplier <= most and spec.multiplier != 1 else {"multiplier": message}

    return check


def _cap(spec: RuleSpec) -> dict[str, str]:
    found = _counted(spec)
    if not 1 <= spec.at_most <= LAST_PLACE:
        found["at_most"] = f"At most 1 to {LAST_PLACE} items."
    elif not spec.at_most < spec.window <= LAST_PLACE:
        found["window"] = f"Some places in a row, more than {spec.at_most} and at most {LAST_PLACE}."
    return found


def _fatigue(spec: RuleSpec) -> dict[str, str]:
    found = {}
    if not 1 <= spec.at_most <= MOST_SHOWINGS:
        found["at_most"] = f"Not again after 1 to {MOST_SHOWINGS} times shown."
    if not 1 <= spec.window <= LONGEST_DAYS:
        found["window"] = f"Within 1 to {LONGEST_DAYS} days."
    return found


def _counted(spec: RuleSpec) -> dict[str, str]:
    if is_counted(spec.attribute):
        return {}
    return {
        "attribute": f"Choose category, tag, creator, country, language or {ATTRIBUTE}NAME, not {spec.attribute!r}."
    }


def _share(spec: RuleSpec) -> dict[str, str]:
    return {} if 0 < spec.share <= 1 else {"share": "Give a share of the list above 0 and up to 100 %."}


_CHECKS: dict[Action, Callable[[RuleSpec], dict[str, str]]] = {
    Action.PIN: _pin,
    Action.SOFT_PIN: _pin,
    Action.PROMOTE: _promote,
    Action.BOOST: _multiplier(1, 100, "A boost multiplies by more than 1 and at most 100."),
    Action.BURY: _multiplier(0.01, 1, "A bury multiplies by less than 1 and at least 0.01."),
    Action.CAP: _cap,
    Action.SAME_AS_SEED: _counted,
    Action.DIFFERENT_FROM_SEED: _counted,
    Action.ORGANIC_SHARE: _share,
    Action.FATIGUE: _fatigue,
}
