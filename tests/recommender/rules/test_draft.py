from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from catalog.models import Item
from recommender.models import Placement, Rule, RuleClause
from recommender.rules import draft
from recommender.rules.schedule import Schedule
from recommender.rules.vocabulary import Action, Audience, Clause, Operator, RuleSpec
from tests.recommender.rule_writing import written

pytestmark = pytest.mark.django_db


def items(*item_ids: str) -> list[int]:
    return [Item.objects.create(item_id=item_id, title=item_id).pk for item_id in item_ids]


def test_a_rule_is_read_with_all_its_parts() -> None:
    heat, ronin = items("heat", "ronin")
    rule = written(
        "promote",
        name="Car chases",
        items=["ronin", "heat"],
        where="year=1998",
        placements=["trending", "homepage"],
        priority=3,
        share_percent=30,
        countries=["fr"],
        languages=["pt"],
        devices=["mobile"],
        segments=["new"],
        active_from=datetime(2026, 1, 1, tzinfo=UTC),
        weekdays=[7, 1],
        opens=time(22, 30),
        closes=time(2),
        time_zone="Europe/Paris",
        holdout_percent=10,
    )
    written("hide", where="category=war", is_active=False)
    assert draft.read() == [
        RuleSpec(
            pk=rule.pk,
            action=Action.PROMOTE,
            name="Car chases",
            priority=3,
            items=(ronin, heat),
            where=(Clause("year", Operator.IS, ("1998",)),),
            share=0.3,
            audience=Audience(
                placements=("homepage", "trending"),
                countries=("FR",),
                languages=("pt",),
                devices=("mobile",),
                segments=("new",),
            ),
            schedule=Schedule(
                since=datetime(2026, 1, 1, tzinfo=UTC).timestamp(),
                weekdays=(1, 7),
                opens=1350,
                closes=120,
                time_zone="Europe/Paris",
            ),
            holdout=0.1,
        )
    ]


def test_what_is_read_can_be_written_back() -> None:
    items("heat")
    written("pin", items=["heat"], position=2, placements=["homepage"], active_until=datetime(2027, 1, 1, tzinfo=UTC))
    written("cap", attribute="category", at_most=1, window=4, holdout_percent=33, opens=time(1), closes=time(2))
    before = draft.read()
    Rule.objects.all().delete()
    written("hide", where="category=war")
    draft.write(before)
    assert draft.read() == before
    draft.write(before[:1])
    assert draft.read() == before[:1]
    draft.write([])
    assert (draft.read(), RuleClause.objects.count()) == ([], 0)


def test_what_is_gone_is_left_out() -> None:
    items("heat")
    written("hide", items=["heat"], placements=["homepage", "new"])
    before = draft.read()
    Item.objects.all().delete()
    Placement.objects.filter(name="new").delete()
    draft.write(before)
    [after] = draft.read()
    assert (after.items, after.audience.placements) == ((), ("homepage",))


def test_any_number_of_rules_takes_four_queries(django_assert_num_queries: pytest.FixtureRequest) -> None:
    items("heat")
    for number in range(5):
        written("hide", name=str(number), items=["heat"], where="category=war", placements=["homepage"])
    with django_assert_num_queries(4):  # type: ignore[operator]
        assert len(draft.read()) == 5
