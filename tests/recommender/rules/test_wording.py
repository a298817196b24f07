from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from recommender.rules import wording
from recommender.rules.schedule import Schedule
from recommender.rules.vocabulary import Action, Audience, Clause, Operator, RuleSpec
from tests.recommender.worlds import catalogue_of

PROMOTION = RuleSpec(
    pk=7,
    action=Action.PROMOTE,
    name="Summer",
    priority=2,
    items=(10, 30, 99),
    where=(Clause("year", Operator.AT_LEAST, ("2020",)), Clause("tag", Operator.IS_NOT, ("war", "gore"))),
    share=0.3,
    audience=Audience(placements=("homepage", "new"), countries=("FR",), languages=("pt",), devices=("tv",)),
    schedule=Schedule(
        since=datetime(2024, 6, 1, tzinfo=UTC).timestamp(),
        until=datetime(2024, 9, 1, 12, 30, tzinfo=UTC).timestamp(),
        weekdays=(6, 7),
        opens=18 * 60,
        closes=90,
        time_zone="Europe/Paris",
    ),
    holdout=0.1,
)


def test_everything_a_rule_says_is_said() -> None:
    catalogue = catalogue_of({}, {}, {})
    titles = wording.titles_of([PROMOTION], catalogue)
    assert titles == {10: "A", 30: "C"}
    assert wording.facts(PROMOTION, titles) == {
        "name": "Summer",
        "does": "promote to 30 % of the list",
        "items": "A, C, item 99, which is gone",
        "items that meet": "year is at least 2020 and tag is not war, gore",
        "priority": "2",
        "placements": "homepage, new",
        "countries": "FR",
        "languages": "pt",
        "devices": "tv",
        "from": "2024-06-01 00:00 UTC",
        "until": "2024-09-01 12:30 UTC",
        "weekdays": "Saturday, Sunday",
        "hours": "18:00 to 01:30",
        "time zone": "Europe/Paris",
        "holdout": "10 % of users do not get it",
    }


def test_what_does_not_matter_is_not_said() -> None:
    assert wording.facts(RuleSpec(pk=1, action=Action.HIDE), {}) == {"does": "hide"}
    assert wording.called(RuleSpec(pk=1, action=Action.HIDE)) == "rule 1"


def test_of_many_items_some_are_named() -> None:
    many = RuleSpec(pk=1, action=Action.HIDE, items=tuple(range(1, 13)))
    titles = {pk: f"T{pk}" for pk in many.items}
    assert wording.facts(many, titles)["items"] == "T1, T2, T3, T4, T5, T6, T7, T8, T9, T10 and 2 more"


def test_changes_are_told_field_by_field_in_words() -> None:
    after = msgspec.structs.replace(
        PROMOTION, share=0.0, slots=2, items=(10,), audience=Audience(placements=("new",), countries=("FR",))
    )
    assert wording.changes(PROMOTION, after, {10: "A", 30: "C"}) == [
        ("does", "promote to 30 % of the list", "promote to 2 places of the list"),
        ("items", "A, C, item 99, which is gone", "A"),
        ("placements", "homepage, new", "new"),
        ("languages", "pt", ""),
        ("devices", "tv", ""),
    ]
    assert wording.changes(PROMOTION, PROMOTION, {}) == []
    assert wording.changes(PROMOTION, msgspec.structs.replace(PROMOTION, priority=0), {}) == [("priority", "2", "0")]


@pytest.mark.parametrize("action", Action)
def test_every_action_has_words_of_its_own(action: Action) -> None:
    assert wording.deed(RuleSpec(pk=1, action=action)) != action.value or action in (Action.HIDE,)
