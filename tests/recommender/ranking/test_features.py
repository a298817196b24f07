from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from math import log

import numpy as np
import pytest

from recommender.contracts import Query
from recommender.ranking.features import CONTEXT, SECONDS_A_YEAR, features, names
from recommender.registry.artifacts import Bundle
from tests.recommender.worlds import bundle_of, candidates_of, catalogue_of, history_of, query_of

NAN = float("nan")


def year(number: float) -> datetime:
    return datetime.fromtimestamp(number * SECONDS_A_YEAR, UTC)


CATALOGUE = catalogue_of(
    {"published_at": year(10), "category": "crime"},
    {"published_at": year(20), "category": "comedy"},
    {"published_at": year(34), "category": "crime"},
    {"category": "crime"},
)


def found(
    query: Query, rows: Sequence[int], columns: Sequence[str] = (), **scores: Sequence[float]
) -> dict[str, list[float]]:
    """Return feature name → value of each candidate."""
    candidates = candidates_of(rows, [NAN] * len(rows), **scores)
    columns = columns or tuple(scores)
    made = features(query, candidates, columns)
    assert (made.dtype, made.shape) == (np.float32, (len(rows), len(names(columns))))
    return {name: made[:, place].tolist() for place, name in enumerate(names(columns))}


def approx(*values: float) -> object:
    return pytest.approx(list(values), abs=1e-6, nan_ok=True)


def test_names_are_those_of_the_columns_then_the_context() -> None:
    assert names(["one", "one.recent"]) == [
        "one.z", "one.recent.z", "one.rank", "one.recent.rank", *CONTEXT,
    ]  # fmt: skip


def test_a_source_is_standardised_and_ranked_among_the_candidates_it_knows() -> None:
    made = found(query_of(CATALOGUE), [0, 1, 2], one=[1.0, NAN, 3.0])
    assert made["one.z"] == approx(-1, NAN, 1)
    assert made["one.rank"] == approx(log(2), log(3), 0)


def test_equals_are_ranked_in_the_order_they_stand_in() -> None:
    rows = [0, 1, 2, 3, 0, 1]
    made = found(query_of(CATALOGUE), rows, one=[0.0, -2.0, -0.0, 1e-30, 0.0, NAN])
    assert made["one.rank"] == approx(log(2), log(5), log(3), 0, log(4), log(6))


def test_a_source_that_says_the_same_of_all_says_nothing() -> None:
    assert found(query_of(CATALOGUE), [0, 1], one=[5.0, 5.0])["one.z"] == [0, 0]


def test_a_source_that_this_request_does_not_have_is_unknown() -> None:
    made = found(query_of(CATALOGUE), [0, 1], columns=("one", "absent"), one=[2.0, 1.0])
    assert made["one.z"] == approx(1, -1)
    assert made["absent.z"] == approx(NAN, NAN)


def test_the_unit_of_a_source_does_not_matter() -> None:
    assert found(query_of(CATALOGUE), [0, 1, 2], one=[1, 2, 4])["one.z"] == approx(
        *found(query_of(CATALOGUE), [0, 1, 2], one=[1001, 1002, 1004])["one.z"]
    )


def test_years_are_compared_with_those_of_the_newest_history() -> None:
    # The history's years are 10 and 20; d has none.
    made = found(query_of(CATALOGUE, history=history_of([0, 1])), [0, 2, 3], one=[0.0, 0.0, 0.0])
    assert made["year"] == approx(10, 34, NAN)
    assert made["year.gap"] == approx(-5, 19, NAN)
    assert made["year.distance"] == approx(5, 19, NAN)
    assert made["history.length"] == approx(*[log(3)] * 3)
    assert made["candidates"] == approx(*[log(4)] * 3)
    assert found(query_of(CATALOGUE), [0], one=[0.0])["year.gap"] == approx(NAN)


def test_an_affinity_is_the_categorys_share_of_the_history_newer_items_more() -> None:
    # 1 + 0.1 for the newest, a comedy; 0.5^(1/10) + 0.1 for the crime film before it.
    crime = 0.5**0.1 + 0.1
    made = found(query_of(CATALOGUE, history=history_of([1, 0])), [2, 1], one=[0.0, 0.0])
    assert made["category.affinity"] == approx(crime / (crime + 1.1), 1.1 / (crime + 1.1))
    assert found(query_of(CATALOGUE), [2], one=[0.0])["category.affinity"] == [0]


def over_time() -> Bundle:
    """Return a model of items a and b, ten events in quarters: a was taken early, b late."""
    bundle = bundle_of([10, 20])
    counts = np.array([[0, 0], [3, 0], [4, 1], [4, 4], [4, 6]], dtype=np.float32)
    moments = np.array([100.0, 200.0, 300.0])
    arrays = {**bundle.arrays, "popularity_over_time.counts": counts, "popularity_over_time.moments": moments}
    return replace(bundle, arrays=arrays)


def test_popularity_is_that_of_the_moment_of_the_request() -> None:
    query = query_of(CATALOGUE, over_time())
    now = found(query, [0, 1, 2], one=[0.0] * 3)
    # c is not in the model. A quarter of five counts is one of them, an eighth and less is rounded up to one.
    assert now["popularity"] == approx(log(5), log(7), NAN)
    for window in ("popularity.lately_64", "popularity.lately_16", "popularity.lately_4"):
        assert now[window] == approx(0, log(3), NAN)
    assert now["popularity.trend"] == approx(-log(5), log(3) - log(7), NAN)
    then = found(replace(query, asked_at=50.0), [0, 1], one=[0.0] * 2)
    assert then["popularity"] == approx(log(5), log(7))
    assert then["popularity.lately_4"] == approx(log(4), 0)


def test_without_a_model_no_popularity_is_known() -> None:
    made = found(query_of(CATALOGUE), [0], one=[0.0])
    assert made["popularity"] == approx(NAN)
    assert made["popularity.trend"] == approx(NAN)


def test_no_candidates_have_no_features() -> None:
    assert found(query_of(CATALOGUE, history=history_of([0])), [], one=[])["one.z"] == []


def test_without_a_source_the_context_is_left() -> None:
    made = features(query_of(CATALOGUE), candidates_of([0, 1], [NAN] * 2), ())
    assert made.shape == (2, len(CONTEXT))
