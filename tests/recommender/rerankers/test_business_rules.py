from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.contracts import Candidates, Query
from recommender.rerankers.business_rules import BusinessRules
from recommender.rules.compile import CompiledRules, RuleSpec, compile_rules
from tests.recommender.worlds import candidates_of, catalogue_of, query_of

CATALOGUE = catalogue_of({}, {}, {}, {}, {}, {"is_active": False})
"""Rows 0..4 can be shown, row 5 cannot."""


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
    shown = apply(rules(pins=((1, 3),)), [0, 1, 2, 3], [0.9, 0.8, 0.7, 0.6])
    assert shown.rows.tolist() == [0, 3, 1, 2]
    assert shown.pinned.tolist() == [False, True, False, False]
    assert shown.score == pytest.approx([0.9, 1.0, 0.8, 0.7])


def test_a_pin_adds_an_item_that_was_no_candidate() -> None:
    shown = apply(rules(pins=((0, 4), (2, 3))), [0, 1], [0.9, 0.8])
    assert shown.rows.tolist() == [4, 0, 3, 1]
    assert shown.source_scores["one"] == pytest.approx([np.nan, 0.9, np.nan, 0.8], nan_ok=True)


def test_a_short_list_takes_its_pins_at_the_end() -> None:
    assert apply(rules(pins=((3, 4), (8, 3))), [0], [0.9]).rows.tolist() == [0, 4, 3]
    assert apply(rules(pins=((3, 4),)), [], []).rows.tolist() == [4]


@pytest.mark.parametrize(
    ("compiled", "fields"),
    [
        (rules(pins=((0, 5),)), {}),
        (rules(pins=((0, 3),), hidden=[3]), {}),
        (rules(pins=((0, 3),)), {"exclude": np.array([3])}),
        (rules(pins=((0, 3),)), {"seed": 3}),
        (rules(pins=((2, 3),)), {"limit": 2}),
    ],
    ids=["unavailable", "hidden", "excluded", "the seed itself", "beyond the end"],
)
def test_a_pin_that_must_not_show_leaves_the_list_as_it_is(compiled: CompiledRules, fields: dict[str, Any]) -> None:
    shown = apply(compiled, [0, 1], [0.9, 0.8], **fields)
    assert (shown.rows.tolist(), shown.pinned.any()) == ([0, 1], False)


def test_a_pin_wins_over_a_bury_of_the_same_item() -> None:
    shown = apply(rules(pins=((0, 2),), multiplier=[1, 1, 0.01, 1, 1, 1]), [0, 1, 2], [0.9, 0.8, 0.7])
    assert shown.rows.tolist() == [2, 0, 1]


SPECS = st.builds(
    RuleSpec,
    pk=st.integers(1, 1000),
    action=st.sampled_from(["pin", "boost", "bury", "hide"]),
    item_pk=st.sampled_from([10, 20, 30, 40, 50, 60, 99]),
    position=st.integers(0, 7),
    multiplier=st.floats(0.01, 100),
    priority=st.integers(-2, 2),
)
LISTS = st.permutations(range(5)).flatmap(lambda rows: st.integers(0, 5).map(lambda n: rows[:n]))


@st.composite
def requests(draw: st.DrawFn) -> tuple[Query, list[int], list[float]]:
    specs = draw(st.lists(SPECS, max_size=8, unique_by=lambda spec: spec.pk))
    rows = draw(LISTS)
    scores = sorted(draw(st.lists(st.floats(0, 1, width=32), min_size=len(rows), max_size=len(rows))), reverse=True)
    query = query_of(
        CATALOGUE,
        rules=compile_rules(specs, CATALOGUE),
        limit=draw(st.integers(1, 8)),
        exclude=np.array(draw(st.lists(st.integers(0, 4), max_size=2)), dtype=np.int64),
    )
    # What reaches the stage has passed the filters.
    kept = [(row, score) for row, score in zip(rows, scores, strict=True) if row not in query.exclude]
    return query, [row for row, _ in kept], [score for _, score in kept]


@given(requests())
def test_whatever_the_rules_the_list_stays_a_list(asked: tuple[Query, list[int], list[float]]) -> None:
    query, rows, scores = asked
    compiled = query.rules
    assert compiled is not None
    shown = BusinessRules().rerank(query, candidates_of(rows, scores)).rows.tolist()
    again = BusinessRules().rerank(query, candidates_of(rows, scores)).rows.tolist()
    hidden = set() if compiled.hidden is None else set(np.flatnonzero(compiled.hidden).tolist())

    assert shown == again
    assert len(shown) == len(set(shown))
    assert not set(shown) & hidden
    assert not set(shown) & set(query.exclude.tolist())
    assert 5 not in shown
    pins = {
        row: position
        for position, row in compiled.pins
        if row not in hidden and row not in query.exclude and row != 5 and position < query.limit
    }
    assert set(rows) - hidden <= set(shown) <= set(rows) | set(pins)
    for number, (row, position) in enumerate(pins.items()):
        # Short of items, a pin moves up, but never past an earlier pin.
        others = len(set(rows) - hidden - set(pins))
        assert shown.index(row) == min(position, others + number)


@given(LISTS)
def test_an_empty_rule_set_changes_nothing(rows: list[int]) -> None:
    scores = [1 - 0.1 * number for number in range(len(rows))]
    shown = apply(CompiledRules(), rows, scores)
    assert shown.rows.tolist() == rows
    assert shown.score == pytest.approx(scores)
    assert not shown.pinned.any()
