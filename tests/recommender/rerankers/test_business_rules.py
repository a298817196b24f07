from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.contracts import Candidates, Query
from recommender.rerankers.business_rules import BusinessRules
from recommender.rules import matching
from recommender.rules.compile import CompiledRules, Promoted, compile_rules
from recommender.rules.placing import Pin
from recommender.rules.vocabulary import Action, RuleSpec
from tests.recommender.worlds import candidates_of, catalogue_of, history_of, query_of

CATALOGUE = catalogue_of({}, {}, {}, {}, {}, {"is_active": False})
"""Rows 0..4 can be shown, row 5 cannot."""
TOLD = catalogue_of(
    {"category": "war", "tags": ["old"]},
    {"category": "war", "tags": ["old", "long"]},
    {"category": "war"},
    {"category": "love", "tags": ["long"]},
    {"category": "love"},
    {"is_active": False},
)


def rules(*, hidden: list[int] | None = None, multiplier: list[float] | None = None, **fields: Any) -> CompiledRules:
    return CompiledRules(
        hidden=None if hidden is None else np.isin(np.arange(6), hidden),
        multiplier=None if multiplier is None else np.array(multiplier, dtype=np.float32),
        **fields,
    )


def apply(compiled: CompiledRules, rows: list[int], scores: list[float], **fields: Any) -> Candidates:
    query = query_of(CATALOGUE, rules=compiled, **fields)
    return BusinessRules().rerank(query, candidates_of(rows, scores, one=scores))


def test_without_rules_it_is_not_asked() -> None:
    assert not BusinessRules().enabled(query_of(CATALOGUE))
    assert BusinessRules().enabled(query_of(CATALOGUE, rules=CompiledRules()))


def test_hidden_items_go() -> None:
    assert apply(rules(hidden=[1, 4]), [0, 1, 2], [0.9, 0.8, 0.7]).rows.tolist() == [0, 2]


def test_boosts_and_buries_reorder_by_the_product() -> None:
    shown = apply(rules(multiplier=[0.5, 1, 2, 1, 1, 1]), [0, 1, 2], [0.9, 0.8, 0.5])
    assert shown.rows.tolist() == [2, 1, 0]
    assert shown.score == pytest.approx([1.0, 0.8, 0.45])
    assert shown.source_scores["one"] == pytest.approx([0.5, 0.8, 0.9])


def test_a_score_that_is_not_finite_stays_last() -> None:
    shown = apply(rules(multiplier=[1, 1, 2, 1, 1, 1]), [0, 1, 2], [0.9, 0.8, float("nan")])
    assert shown.rows.tolist() == [0, 1, 2]


def test_a_pin_moves_a_candidate_to_its_position() -> None:
    shown = apply(rules(pins=(Pin(1, 3, 1),)), [0, 1, 2, 3], [0.9, 0.8, 0.7, 0.6])
    assert shown.rows.tolist() == [0, 3, 1, 2]
    assert shown.pinned.tolist() == [False, True, False, False]
    assert shown.score == pytest.approx([0.9, 1.0, 0.8, 0.7])


def test_a_pin_adds_an_item_that_was_no_candidate() -> None:
    shown = apply(
        rules(
            pins=(
                Pin(0, 4, 1),
                Pin(2, 3, 2),
            )
        ),
        [0, 1],
        [0.9, 0.8],
    )
    assert shown.rows.tolist() == [4, 0, 3, 1]
    assert shown.source_scores["one"] == pytest.approx([np.nan, 0.9, np.nan, 0.8], nan_ok=True)


def test_a_short_list_takes_its_pins_at_the_end() -> None:
    assert apply(
        rules(
            pins=(
                Pin(3, 4, 1),
                Pin(8, 3, 2),
            )
        ),
        [0],
        [0.9],
    ).rows.tolist() == [0, 4, 3]
    assert apply(rules(pins=(Pin(3, 4, 1),)), [], []).rows.tolist() == [4]


@pytest.mark.parametrize(
    ("compiled", "fields"),
    [
        (rules(pins=(Pin(0, 5, 1),)), {}),
        (rules(pins=(Pin(0, 3, 1),), hidden=[3]), {}),
        (rules(pins=(Pin(0, 3, 1),)), {"exclude": np.array([3])}),
        (rules(pins=(Pin(0, 3, 1),)), {"seed": 3}),
        (rules(pins=(Pin(2, 3, 1),)), {"limit": 2}),
    ],
    ids=["unavailable", "hidden", "excluded", "the seed itself", "beyond the end"],
)
def test_a_pin_that_must_not_show_leaves_the_list_as_it_is(compiled: CompiledRules, fields: dict[str, Any]) -> None:
    shown = apply(compiled, [0, 1], [0.9, 0.8], **fields)
    assert (shown.rows.tolist(), shown.pinned.any()) == ([0, 1], False)


def test_a_pin_wins_over_a_bury_of_the_same_item() -> None:
    shown = apply(rules(pins=(Pin(0, 2, 1),), multiplier=[1, 1, 0.01, 1, 1, 1]), [0, 1, 2], [0.9, 0.8, 0.7])
    assert shown.rows.tolist() == [2, 0, 1]


def test_what_is_kept_out_stands_only_where_a_rule_puts_it() -> None:
    kept_out = np.isin(np.arange(6), [1, 2])
    assert apply(rules(kept_out=kept_out), [0, 1, 2], [0.9, 0.8, 0.7]).rows.tolist() == [0]
    shown = apply(rules(kept_out=kept_out, pins=(Pin(0, 2, 1),)), [0, 1, 2], [0.9, 0.8, 0.7])
    assert shown.rows.tolist() == [2, 0]


def promoted(rows: list[int], **fields: Any) -> Promoted:
    return Promoted(**{"rule": 1, "slots": 1, "share": 0.0, "rows": np.array(rows), "in_order": False, **fields})


def test_a_promotion_takes_the_best_candidates_then_the_most_popular_and_nothing_seen() -> None:
    TOLD.popularity[:] = [1, 5, 3, 9, 0, 0]
    history = history_of([3])
    query = query_of(TOLD, rules=CompiledRules(promotions=(promoted([1, 2, 3], slots=3),)), limit=4, history=history)
    # 2 is a candidate; 1 is none, and more popular than nobody; 3 has been seen.
    shown = BusinessRules().rerank(query, candidates_of([0, 4, 2], [0.9, 0.8, 0.7]))
    assert shown.rows.tolist() == [2, 0, 1, 4]
    assert shown.pinned.tolist() == [True, False, True, False]


def test_what_is_picked_by_hand_is_promoted_in_that_order() -> None:
    query = query_of(TOLD, rules=CompiledRules(promotions=(promoted([4, 0], slots=2, in_order=True),)), limit=4)
    shown = BusinessRules().rerank(query, candidates_of([0, 1, 2, 3], [0.9, 0.8, 0.7, 0.6]))
    assert shown.rows.tolist()[:4] == [1, 4, 2, 0]


def test_similar_items_may_have_to_share_something_with_the_seed_or_nothing() -> None:
    for same, expected in ((True, [1]), (False, [2, 3])):
        like = ((matching.values_of(TOLD, "tag"), same),)
        query = query_of(TOLD, rules=CompiledRules(like_seed=like), seed=0)
        shown = BusinessRules().rerank(query, candidates_of([1, 2, 3], [0.9, 0.8, 0.7]))
        assert shown.rows.tolist() == expected


def test_what_he_is_tired_of_stands_only_where_a_pin_puts_it() -> None:
    tired = np.array([1, 2])
    assert apply(rules(tired=tired), [0, 1, 2, 3], [0.9, 0.8, 0.7, 0.6]).rows.tolist() == [0, 3]
    for pin in ({"pins": (Pin(0, 2, 1),)}, {"soft_pins": (Pin(0, 2, 1),)}):
        assert apply(rules(tired=tired, **pin), [0, 1, 2], [0.9, 0.8, 0.7]).rows.tolist() == [2, 0]
    by_hand = promoted([1, 4], slots=1, in_order=True)
    # Place 1 of 2; 1 tires, 4 is next.
    assert apply(rules(tired=tired, promotions=(by_hand,)), [0, 3], [0.9, 0.8], limit=2).rows.tolist()[:2] == [0, 4]


ITEMS = st.sampled_from([10, 20, 30, 40, 50, 60, 99])
SPECS = st.one_of(
    st.builds(
        RuleSpec,
        pk=st.integers(1, 1000),
        action=st.sampled_from([Action(name) for name in ("pin", "soft_pin", "boost", "bury", "hide", "exclude")]),
        items=ITEMS.map(lambda pk: (pk,)),
        position=st.integers(0, 7),
        multiplier=st.floats(0.01, 100),
        priority=st.integers(-2, 2),
    ),
    st.builds(
        RuleSpec,
        pk=st.integers(1, 1000),
        action=st.just(Action.PROMOTE),
        items=st.lists(ITEMS, max_size=3, unique=True).map(tuple),
        slots=st.integers(0, 4),
        priority=st.integers(-2, 2),
    ),
    st.builds(
        RuleSpec,
        pk=st.integers(1, 1000),
        action=st.just(Action.CAP),
        attribute=st.sampled_from(["category", "tag"]),
        at_most=st.integers(1, 2),
        window=st.integers(3, 4),
    ),
    st.builds(
        RuleSpec, pk=st.integers(1, 1000), action=st.just(Action.ORGANIC_SHARE), share=st.sampled_from([0.3, 0.5, 1])
    ),
)
TIRED = st.none() | st.sets(st.integers(0, 5), min_size=1).map(lambda rows: np.array(sorted(rows), dtype=np.int64))
LISTS = st.permutations(range(5)).flatmap(lambda rows: st.integers(0, 5).map(lambda n: rows[:n]))


@st.composite
def requests(draw: st.DrawFn) -> tuple[Query, list[int], list[float]]:
    specs = draw(st.lists(SPECS, max_size=8, unique_by=lambda spec: spec.pk))
    rows = draw(LISTS)
    scores = sorted(draw(st.lists(st.floats(0, 1, width=32), min_size=len(rows), max_size=len(rows))), reverse=True)
    query = query_of(
        TOLD,
        rules=replace(compile_rules(specs, TOLD), tired=draw(TIRED)),
        limit=draw(st.integers(1, 8)),
        exclude=np.array(draw(st.lists(st.integers(0, 4), max_size=2)), dtype=np.int64),
        seed=draw(st.sampled_from([None, 4])),
    )
    # What reaches the stage has passed the filters.
    kept = [(row, score) for row, score in zip(rows, scores, strict=True) if row not in [*query.exclude, query.seed]]
    return query, [row for row, _ in kept], [score for _, score in kept]


@given(requests())
def test_whatever_the_rules_the_list_stays_a_list(asked: tuple[Query, list[int], list[float]]) -> None:
    query, rows, scores = asked
    compiled = query.rules
    assert compiled is not None
    found = BusinessRules().rerank(query, candidates_of(rows, scores))
    again = BusinessRules().rerank(query, candidates_of(rows, scores))
    everything, shown = found.rows.tolist(), found.rows.tolist()[: query.limit]
    never = {5, query.seed, *query.exclude.tolist()}
    never |= set() if compiled.hidden is None else set(np.flatnonzero(compiled.hidden).tolist())
    by_rule = found.pinned[: query.limit]

    assert everything == again.rows.tolist()
    assert len(everything) == len(set(everything))
    assert not set(everything) & never
    kept_out = set() if compiled.kept_out is None else set(np.flatnonzero(compiled.kept_out).tolist())
    assert not {row for row, placed in zip(shown, by_rule, strict=True) if not placed} & kept_out
    tired = set() if compiled.tired is None else set(compiled.tired.tolist())
    pinned = {pin.row for pin in (*compiled.pins, *compiled.soft_pins)}
    assert not {row for row, placed in zip(shown, by_rule, strict=True) if not placed or row not in pinned} & tired
    assert sum(~by_rule) >= math.ceil(compiled.organic_share * len(shown) - 1e-9)
    for cap in compiled.caps:
        for start in range(len(shown)):
            counts = Counter(value for row in shown[start : start + cap.window] for value in cap.values(row))
            assert all(count <= cap.at_most for count in counts.values())
    pins = [pin for pin in compiled.pins if pin.row not in never and pin.place < query.limit]
    if pins and not compiled.caps and not compiled.organic_share:
        # Short of items a pin moves up.
        assert shown.index(pins[0].row) <= pins[0].place
        if len(shown) == query.limit:
            assert shown.index(pins[0].row) == pins[0].place
    if not compiled.caps:
        assert set(rows) - never - kept_out - tired <= set(everything)


@given(LISTS)
def test_an_empty_rule_set_changes_nothing(rows: list[int]) -> None:
    scores = [1 - 0.1 * number for number in range(len(rows))]
    shown = apply(CompiledRules(), rows, scores)
    assert shown.rows.tolist() == rows
    assert shown.score == pytest.approx(scores)
    assert not shown.pinned.any()
