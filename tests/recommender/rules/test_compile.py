from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from catalog.models import Item
from recommender.models import Placement, Rule
from recommender.rules.compile import CompiledRules, Rulebook, RuleSpec, compile_rules, current, load, matching_rows
from tests.recommender.worlds import catalogue_of

CATALOGUE = catalogue_of(
    {"category": "Crime", "tags": ["heist", "classic"]},
    {"category": "crime", "tags": ["heist"]},
    {"category": "Comedy", "tags": ["classic"]},
    {"category": "War"},
)


def spec(action: str, pk: int = 1, **fields: Any) -> RuleSpec:
    return RuleSpec(pk=pk, action=action, **fields)


def test_no_rules_compile_to_nothing() -> None:
    assert compile_rules([], CATALOGUE) == CompiledRules(hidden=None, multiplier=None, pins=())


@pytest.mark.parametrize(
    ("conditions", "rows"),
    [
        ({"item_pk": 20}, [1]),
        ({"item_pk": 99}, []),
        ({"category": "CRIME"}, [0, 1]),
        ({"tag": "classic"}, [0, 2]),
        ({"tag": "Classic"}, []),
        ({"category": "crime", "tag": "classic"}, [0]),
        ({"item_pk": 30, "tag": "heist"}, []),
    ],
)
def test_a_rule_means_the_items_that_meet_all_its_conditions(conditions: dict[str, Any], rows: list[int]) -> None:
    assert matching_rows(spec("hide", **conditions), CATALOGUE).tolist() == rows


def test_hides_add_up() -> None:
    compiled = compile_rules([spec("hide", 1, tag="heist"), spec("hide", 2, item_pk=40)], CATALOGUE)
    assert compiled.hidden is not None
    assert compiled.hidden.tolist() == [True, True, False, True]


def test_boosts_and_buries_multiply() -> None:
    compiled = compile_rules(
        [spec("boost", 1, tag="classic", multiplier=2.0), spec("bury", 2, category="comedy", multiplier=0.25)],
        CATALOGUE,
    )
    assert compiled.multiplier is not None
    assert compiled.multiplier.tolist() == [2.0, 1.0, 0.5, 1.0]
    assert compiled.multiplier.dtype == np.float32


def test_pins_stand_in_the_order_of_their_positions() -> None:
    pins = [spec("pin", 1, item_pk=40, position=3), spec("pin", 2, item_pk=10, position=1)]
    assert compile_rules(pins, CATALOGUE).pins == ((0, 0), (2, 3))


def test_of_two_pins_on_one_position_the_higher_priority_stands_then_the_older() -> None:
    first, second = spec("pin", 1, item_pk=10, position=1), spec("pin", 2, item_pk=20, position=1)
    assert compile_rules([second, first], CATALOGUE).pins == ((0, 0),)
    urgent = spec("pin", 3, item_pk=30, position=1, priority=5)
    assert compile_rules([first, second, urgent], CATALOGUE).pins == ((0, 2),)


def test_an_item_is_pinned_once() -> None:
    pins = [spec("pin", 1, item_pk=10, position=2), spec("pin", 2, item_pk=10, position=1)]
    assert compile_rules(pins, CATALOGUE).pins == ((1, 0),)


@pytest.mark.parametrize("fields", [{"item_pk": 99, "position": 1}, {"item_pk": 10, "position": 0}])
def test_a_pin_of_a_deleted_item_or_without_a_position_does_nothing(fields: dict[str, Any]) -> None:
    assert compile_rules([spec("pin", **fields)], CATALOGUE).pins == ()


def test_a_rulebook_opens_and_closes_rules_on_time() -> None:
    book = Rulebook(
        1,
        [spec("pin", 1, item_pk=10, position=1, active_from=100.0, active_until=200.0), spec("hide", 2, item_pk=40)],
        CATALOGUE,
    )
    assert [bool(book.for_placement("home", now).pins) for now in (99.9, 100.0, 199.9, 200.0)] == [
        False, True, True, False,
    ]  # fmt: skip
    assert book.for_placement("home", 250.0).hidden is not None


def test_a_rulebook_compiles_a_placement_once_while_nothing_changes() -> None:
    book = Rulebook(1, [spec("hide", 1, item_pk=10), spec("hide", 2, item_pk=20, placement="home")], CATALOGUE)
    everywhere, home = book.for_placement("item", 0.0), book.for_placement("home", 0.0)
    assert everywhere.hidden is not None
    assert home.hidden is not None
    assert (everywhere.hidden.tolist(), home.hidden.tolist()) == (
        [True, False, False, False], [True, True, False, False],
    )  # fmt: skip
    assert book.for_placement("item", 1.0) is everywhere


@pytest.mark.django_db
def test_active_rules_are_read_from_the_database() -> None:
    item = Item.objects.create(item_id="heat", title="Heat")
    now = timezone.now()
    Rule.objects.create(name="off", action="hide", category="war", is_active=False)
    pin = Rule.objects.create(
        name="pin",
        action="pin",
        item=item,
        placement=Placement.objects.get(name="homepage"),
        position=2,
        priority=7,
        active_from=now,
        active_until=now + timedelta(days=1),
    )
    boost = Rule.objects.create(name="boost", action="boost", category="war", tag="classic", multiplier=3.0)
    assert load() == [
        RuleSpec(
            pk=pin.pk,
            action="pin",
            placement="homepage",
            item_pk=item.pk,
            position=2,
            priority=7,
            active_from=now.timestamp(),
            active_until=now.timestamp() + 86_400,
        ),
        RuleSpec(pk=boost.pk, action="boost", category="war", tag="classic", multiplier=3.0),
    ]


@pytest.mark.django_db
def test_the_rulebook_is_read_again_only_when_its_revision_moves(django_assert_num_queries: Any) -> None:
    Rule.objects.create(name="hide", action="hide", category="war")
    with django_assert_num_queries(1):
        book = current(5, CATALOGUE)
    with django_assert_num_queries(0):
        assert current(5, CATALOGUE) is book
        other = current(5, catalogue_of({"category": "war"}))
        hidden = other.for_placement("", 0.0).hidden
        assert hidden is not None
        assert hidden.tolist() == [True]
    Rule.objects.all().delete()
    with django_assert_num_queries(1):
        assert current(6, CATALOGUE).specs == []
