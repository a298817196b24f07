"""Rules in words, as editors read them: what one does, to which items, for whom and when; and what has changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

from catalog.snapshot import Catalogue
from recommender.rules.schedule import Schedule
from recommender.rules.vocabulary import Action, Clause, Operator, RuleSpec

ACTIONS = {
    Action.BOOST: "boost",
    Action.BURY: "bury",
    Action.HIDE: "hide",
    Action.EXCLUDE: "exclude, unless pinned or promoted",
    Action.INCLUDE_ONLY: "include only",
}
OPERATORS = {
    Operator.IS: "is",
    Operator.IS_NOT: "is not",
    Operator.CONTAINS: "contains",
    Operator.AT_LEAST: "is at least",
    Operator.AT_MOST: "is at most",
}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NAMED_ITEMS = 10
"""Of a rule's items, in one line."""


def called(spec: RuleSpec) -> str:
    """Return what to call a rule."""
    return spec.name or f"rule {spec.pk}"


def deed(spec: RuleSpec) -> str:
    """Return what a rule does, with its numbers."""
    share = f"{round(spec.share * 100, 6):g} %" if spec.share else ""
    match spec.action:
        case Action.PIN:
            return f"pin to position {spec.position}"
        case Action.SOFT_PIN:
            return f"pin to position {spec.position} or before"
        case Action.PROMOTE:
            return f"promote to {share or f'{spec.slots} places'} of the list"
        case Action.BOOST | Action.BURY:
            return f"{ACTIONS[spec.action]} × {spec.multiplier:g}"
        case Action.CAP:
            return f"at most {spec.at_most} of one {spec.attribute} in {spec.window} places"
        case Action.SAME_AS_SEED | Action.DIFFERENT_FROM_SEED:
            return f"only with {'the same' if spec.action == Action.SAME_AS_SEED else 'another'} {spec.attribute}"
        case Action.ORGANIC_SHARE:
            return f"keep {share} of the list for scores"
        case Action.FATIGUE:
            return f"not again after {spec.at_most} times shown in {spec.window} days without a click"
    return ACTIONS.get(spec.action, spec.action.value)


def condition(clause: Clause) -> str:
    """Return one condition on items."""
    return f"{clause.field} {OPERATORS[clause.operator]} {', '.join(clause.values)}"


def titles_of(specs: Sequence[RuleSpec], catalogue: Catalogue) -> dict[int, str]:
    """Return primary key → title of the items that rules name, as far as the catalogue has them."""
    pks = sorted({pk for spec in specs for pk in spec.items})
    rows = catalogue.rows_of_pks(np.array(pks, dtype=np.int64))
    return {pk: catalogue.cards[row].title for pk, row in zip(pks, rows.tolist(), strict=True) if row >= 0}


def facts(spec: RuleSpec, titles: Mapping[int, str]) -> dict[str, str]:
    """Return everything a rule says, by what it is about; what does not matter is left out.

    Parameters
    ----------
    titles
        Primary key → title, as of `titles_of`.
    """
    named = [titles.get(pk, f"item {pk}, which is gone") for pk in spec.items]
    more = f" and {len(named) - NAMED_ITEMS} more" if len(named) > NAMED_ITEMS else ""
    audience = spec.audience
    found = {
        "name": spec.name,
        "does": deed(spec),
        "items": ", ".join(named[:NAMED_ITEMS]) + more,
        "items that meet": " and ".join(condition(clause) for clause in spec.where),
        "priority": str(spec.priority or ""),
        "placements": ", ".join(audience.placements),
        "countries": ", ".join(audience.countries),
        "languages": ", ".join(audience.languages),
        "devices": ", ".join(audience.devices),
        "segments": ", ".join(audience.segments),
        **_times(spec.schedule),
        "holdout": f"{round(spec.holdout * 100, 6):g} % of users do not get it" if spec.holdout else "",
    }
    return {name: text for name, text in found.items() if text}


def changes(before: RuleSpec, after: RuleSpec, titles: Mapping[int, str]) -> list[tuple[str, str, str]]:
    """Return (what it is about, before, after) of everything that two versions of a rule say differently."""
    # Not said of a rule alone, a priority of 0 is something beside another.
    old, new = ({"priority": "0", **facts(spec, titles)} for spec in (before, after))
    return [(name, old.get(name, ""), new.get(name, "")) for name in old | new if old.get(name) != new.get(name)]


def _times(schedule: Schedule) -> dict[str, str]:
    hours = f"{_clock(schedule.opens)} to {_clock(schedule.closes)}" if schedule.opens is not None else ""
    return {
        "from": _moment(schedule.since),
        "until": _moment(schedule.until),
        "weekdays": ", ".join(WEEKDAYS[day - 1] for day in schedule.weekdays),
        "hours": hours,
        "time zone": schedule.time_zone if schedule.has_hours else "",
    }


def _clock(minute: int | None) -> str:
    return "24:00" if minute is None else f"{minute // 60:02d}:{minute % 60:02d}"


def _moment(seconds: float | None) -> str:
    return "" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
