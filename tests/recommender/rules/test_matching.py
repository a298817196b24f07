from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from recommender.rules.matching import meeting, rows_of, texts_of, values_of
from recommender.rules.vocabulary import Action, Clause, Operator, RuleSpec
from tests.recommender.worlds import catalogue_of

NOW = datetime(2026, 11, 22, tzinfo=UTC).timestamp()
CATALOGUE = catalogue_of(
    {
        "category": "Crime",
        "tags": ["Heist", "classic"],
        "creators": ["Michael Mann"],
        "countries": ["US"],
        "language": "en",
        "description": "100% pure 'noir'; DROP TABLE",
        "published_at": datetime(1995, 12, 15, tzinfo=UTC),
        "attributes": {"age": 16, "hd": True, "cast": ["Al", "Bob"], "big": 10**30, "rate": 0.5, "deep": {"x": 1}},
    },
    {"category": "crime", "tags": ["heist"], "published_at": datetime(2026, 11, 20, tzinfo=UTC)},
    {"category": "Comedy", "attributes": {"age": 6, "hd": False}, "popularity": 7.0},
    {},
)


def clause(field: str, operator: str, *values: str) -> Clause:
    return Clause(field, Operator(operator), values)


@pytest.mark.parametrize(
    ("asked", "rows"),
    [
        (("category", "is", "CRIME"), [0, 1]),
        (("category", "is", "comedy", "war"), [2]),
        (("category", "is_not", "crime"), [2, 3]),
        (("category", "contains", "om"), [2]),
        (("tag", "is", "heist"), [0, 1]),
        (("tag", "is", "HEIST", "nothing"), [0, 1]),
        (("tag", "contains", "lass"), [0]),
        (("creator", "is", "michael mann"), [0]),
        (("creator", "contains", "MANN"), [0]),
        (("country", "is", "us"), [0]),
        (("language", "is", "EN"), [0]),
        (("item_id", "is", "a", "d", "zz"), [0, 3]),
        (("title", "is", "b"), [1]),
        (("description", "contains", "'noir'; drop"), [0]),
        (("description", "contains", "100%"), [0]),
        (("year", "is", "1995"), [0]),
        (("year", "at_least", "1996"), [1]),
        (("year", "at_most", "1995"), [0]),
        (("age_days", "at_most", "2"), [1]),
        (("popularity", "at_least", "6.5"), [2]),
        (("attribute.age", "at_least", "7"), [0]),
        (("attribute.age", "is", "6"), [2]),
        (("attribute.hd", "is", "true"), [0]),
        (("attribute.cast", "is", "bob"), [0]),
        (("attribute.cast", "at_least", "1"), []),
        (("attribute.big", "is", "1" + "0" * 30), [0]),
        (("attribute.rate", "is", "0.5"), [0]),
        (("attribute.deep", "is", "1"), []),
        (("attribute.none", "is_not", "x"), [0, 1, 2, 3]),
    ],
)
def test_a_clause_holds_for_items(asked: Any, rows: list[int]) -> None:
    assert [int(row) for row in meeting(clause(*asked), CATALOGUE, NOW).nonzero()[0]] == rows


def test_a_rule_means_what_meets_all_clauses_or_was_picked() -> None:
    heist, old = clause("tag", "is", "heist"), clause("year", "at_most", "2000")
    assert rows(where=(heist, old)) == [0]
    assert rows(items=(30, 99, 10)) == [2, 0]
    assert rows(items=(30, 20, 10), where=(heist,)) == [1, 0]
    assert rows() == []


def rows(**fields: Any) -> list[int]:
    found: list[int] = rows_of(RuleSpec(pk=1, action=Action.HIDE, **fields), CATALOGUE, NOW).tolist()
    return found


def test_values_are_equal_where_the_texts_are() -> None:
    tags = values_of(CATALOGUE, "tag")
    assert (len(list(tags(0))), set(tags(0)) & set(tags(1)), list(tags(3))) == (2, set(tags(1)), [])
    categories = values_of(CATALOGUE, "category")
    assert (list(categories(3)), list(categories(0)) != list(categories(2))) == ([], True)


def test_an_attribute_of_any_type_is_text() -> None:
    card = CATALOGUE.cards[0]
    assert texts_of(card, "attribute.hd") == ["true"]
    assert texts_of(card, "attribute.cast") == ["al", "bob"]
    assert texts_of(card, "attribute.deep") == []
