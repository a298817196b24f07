from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from recommender.rules.compile import CompiledRules, Rulebook, compile_rules, current
from recommender.rules.placing import Pin
from recommender.rules.schedule import Schedule
from recommender.rules.versions import publish_draft
from recommender.rules.viewer import Viewer
from recommender.rules.vocabulary import Action, Audience, Clause, Operator, RuleSpec
from tests.recommender.rule_writing import published
from tests.recommender.worlds import catalogue_of

CATALOGUE = catalogue_of(
    {"category": "Crime", "tags": ["heist", "classic"]},
    {"category": "crime", "tags": ["heist"]},
    {"category": "Comedy", "tags": ["classic"]},
    {"category": "War"},
)


def where(field: str, *values: str, operator: str = "is") -> tuple[Clause, ...]:
    return (Clause(field, Operator(operator), values),)


def spec(action: str, pk: int = 1, **fields: Any) -> RuleSpec:
    return RuleSpec(pk=pk, action=Action(action), **fields)


def mask(found: np.ndarray[Any, Any] | None) -> list[int] | None:
    return None if found is None else np.flatnonzero(found).tolist()


def test_no_rules_compile_to_nothing() -> None:
    assert compile_rules([], CATALOGUE) == CompiledRules()


def test_hides_add_up() -> None:
    compiled = compile_rules([spec("hide", 1, where=where("tag", "heist")), spec("hide", 2, items=(40,))], CATALOGUE)
    assert (mask(compiled.hidden), compiled.kept_out) == ([0, 1, 3], None)


def test_what_is_included_is_all_there_is_but_for_what_is_excluded() -> None:
    compiled = compile_rules(
        [
            spec("include_only", 1, where=where("category", "crime")),
            spec("include_only", 2, items=(30,)),
            spec("exclude", 3, items=(10,)),
        ],
        CATALOGUE,
    )
    assert (compiled.hidden, mask(compiled.kept_out)) == (None, [0, 3])


def test_boosts_and_buries_multiply_within_bounds() -> None:
    compiled = compile_rules(
        [
            spec("boost", 1, where=where("tag", "classic"), multiplier=2.0),
            spec("bury", 2, where=where("category", "comedy"), multiplier=0.25),
            spec("boost", 3, items=(40,), multiplier=90.0),
            spec("boost", 4, items=(40,), multiplier=90.0),
        ],
        CATALOGUE,
    )
    assert compiled.multiplier is not None
    assert compiled.multiplier.tolist() == [2.0, 1.0, 0.5, 100.0]
    assert compiled.multiplier.dtype == np.float32


def test_pins_stand_by_priority_then_by_age() -> None:
    first, second = spec("pin", 1, items=(10,), position=1), spec("pin", 2, items=(20,), position=1)
    urgent = spec("pin", 3, items=(30,), position=1, priority=5)
    soft = spec("soft_pin", 4, items=(40,), position=2)
    compiled = compile_rules([second, first, soft, urgent], CATALOGUE)
    assert compiled.pins == (Pin(0, 2, 3), Pin(0, 0, 1), Pin(0, 1, 2))
    assert compiled.soft_pins == (Pin(1, 3, 4),)


@pytest.mark.parametrize("fields", [{"items": (99,), "position": 1}, {"items": (10,), "position": 0}])
def test_a_pin_of_a_deleted_item_or_without_a_position_does_nothing(fields: dict[str, Any]) -> None:
    assert compile_rules([spec("pin", **fields)], CATALOGUE).pins == ()


def test_promotions_caps_and_shares_are_carried_over() -> None:
    compiled = compile_rules(
        [
            spec("promote", 1, where=where("category", "crime"), share=0.25),
            spec("promote", 2, items=(30, 99, 10), slots=2),
            spec("cap", 3, attribute="category", at_most=1, window=3),
            spec("organic_share", 4, share=0.5),
            spec("organic_share", 5, share=0.7),
            spec("same_as_seed", 6, attribute="tag"),
        ],
        CATALOGUE,
    )
    by_share, by_slots = compiled.promotions
    assert (by_share.rows.tolist(), by_share.in_order, by_share.places(10), by_share.places(2)) == ([0, 1], False, 2, 0)
    assert (by_slots.rows.tolist(), by_slots.in_order, by_slots.places(10), by_slots.places(1)) == ([2, 0], True, 2, 1)
    [cap] = compiled.caps
    assert (cap.at_most, cap.window) == (1, 3)
    # Compared as they are written: Crime and crime are two categories of the catalogue.
    assert [list(cap.values(row)) for row in (0, 2)] == [[0], [2]]
    assert compiled.organic_share == 0.7
    [(values, same)] = compiled.like_seed
    assert (set(values(0)) & set(values(1)), set(values(1)) & set(values(2)), same) == (set(values(1)), set(), True)


def at(book: Rulebook, now: float = 0.0, **viewer: Any) -> CompiledRules:
    return book.for_viewer(Viewer(**viewer), now)


def test_a_rulebook_opens_and_closes_rules_on_time() -> None:
    timed = spec("pin", 1, items=(10,), position=1, schedule=Schedule(since=100.0, until=200.0))
    book = Rulebook(1, [timed, spec("hide", 2, items=(40,))], CATALOGUE)
    assert [bool(at(book, now).pins) for now in (99.9, 100.0, 199.9, 200.0, 150.0)] == [
        False, True, True, False, True,
    ]  # fmt: skip
    assert at(book, 250.0).hidden is not None


def test_a_rulebook_compiles_what_is_in_effect_once() -> None:
    home = Audience(placements=("home",))
    book = Rulebook(1, [spec("hide", 1, items=(10,)), spec("hide", 2, items=(20,), audience=home)], CATALOGUE)
    everywhere = at(book, placement="item")
    assert (mask(everywhere.hidden), mask(at(book, placement="home").hidden)) == ([0], [0, 1])
    assert at(book, 1.0, placement="item", user_id="ann") is everywhere
    assert at(book, 1.0, placement="search", country="FR") is everywhere


def test_a_holdout_leaves_some_users_out_for_good() -> None:
    book = Rulebook(1, [spec("hide", 7, items=(10,), holdout=0.3)], CATALOGUE)
    out = [user for user in range(1000) if at(book, user_id=f"user {user}").hidden is None]
    assert 250 < len(out) < 350
    assert out == [user for user in range(1000) if at(book, 9.0, user_id=f"user {user}").hidden is None]
    assert at(book).hidden is not None


def test_what_has_come_of_age_is_noticed_within_the_hour() -> None:
    catalogue = catalogue_of({"published_at": None}, {})
    catalogue.published_at[:] = [0.0, 86_400.0]
    book = Rulebook(1, [spec("hide", 1, where=where("age_days", "2", operator="at_least"))], catalogue)
    assert mask(at(book, 2 * 86_400.0 - 1).hidden) == []
    assert mask(at(book, 2 * 86_400.0).hidden) == [0]
    assert mask(at(book, 3 * 86_400.0).hidden) == [0, 1]


@pytest.mark.django_db
def test_the_rulebook_is_read_again_only_when_its_revision_moves(django_assert_num_queries: Any) -> None:
    rule = published("hide", where="category=war")
    with django_assert_num_queries(1):
        book = current(5, CATALOGUE)
    with django_assert_num_queries(0):
        assert current(5, CATALOGUE) is book
        other = current(5, catalogue_of({"category": "war"}))
        assert mask(at(other).hidden) == [0]
    rule.delete()
    publish_draft()
    with django_assert_num_queries(1):
        assert current(6, CATALOGUE).specs == []


def test_fatigue_is_of_what_it_names_or_of_all() -> None:
    compiled = compile_rules(
        [
            spec("fatigue", 1, where=where("tag", "heist"), at_most=3, window=2),
            spec("fatigue", 2, at_most=5, window=7, priority=1),
        ],
        CATALOGUE,
    )
    of_all, of_heists = compiled.fatigue
    assert (of_all.rule, of_all.times, of_all.seconds, of_all.rows) == (2, 5, 604_800, None)
    assert (of_heists.rule, of_heists.times, of_heists.seconds) == (1, 3, 172_800)
    assert of_heists.rows is not None
    assert of_heists.rows.tolist() == [0, 1]
    assert compiled.admits(np.arange(4)).all()
    for specs, asks in (([spec("fatigue", at_most=1, window=1)], True), ([spec("hide", items=(10,))], False)):
        assert Rulebook(1, specs, CATALOGUE).asks_for_showings is asks
