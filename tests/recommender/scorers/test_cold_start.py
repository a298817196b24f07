from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from recommender.arrays import FloatArray
from recommender.contracts import Candidates, Query
from recommender.scorers.cold_start import ColdStart
from recommender.scorers.weighted_blend import WeightedBlend
from tests.recommender.worlds import candidates_of, catalogue_of, history_of, query_of

NAN = float("nan")
CATALOGUE = catalogue_of({}, {}, {}, {})
SIGMA = float(np.log(3) * (2 / 3) ** 0.5)
"""Deviation of the log-odds of 0.75, 0.5 and 0.25: log 3, 0 and -log 3."""
A = 1.5**0.5


def query(*weights: float) -> Query:
    return query_of(CATALOGUE, history=history_of(range(len(weights)), list(weights)))


def candidates() -> Candidates:
    """Return three whose score so far (z: √1.5, 0, −√1.5) is the opposite of what the prior says of them."""
    return candidates_of([0, 1, 2], [0.75, 0.5, 0.25], popular=[0.0, 10.0, 20.0])


def mixed(*weights: float, events: float = 1.0) -> list[float]:
    return z_of(ColdStart({"popular": 0.5}, events=events).score(query(*weights), candidates()))


def z_of(scores: FloatArray) -> list[float]:
    """Return p · z(score so far) + (1 − p) · z(prior), which the scores are made of."""
    return (np.log(scores / (1 - scores.astype(np.float64))) / SIGMA).tolist()


def approx(*expected: float) -> Any:
    return pytest.approx(list(expected), abs=1e-5)


def test_somebody_who_has_done_nothing_gets_the_prior() -> None:
    assert mixed() == approx(-A, 0, A)


def test_the_two_count_alike_after_as_many_events_as_stated() -> None:
    assert mixed(1.0) == approx(0, 0, 0)
    assert mixed(1.0, events=2.0) == approx(-A / 3, 0, A / 3)
    assert mixed(1.0, 1.5, 0.5, events=2.0) == approx(A / 9, 0, -A / 9)


def test_what_he_does_takes_over_smoothly() -> None:
    other = candidates_of([0, 1, 2], [0.75, 0.5, 0.25], popular=[0.0, 20.0, 10.0])
    # z of the score: a = √1.5, 0, −a; of the prior: −a, a, 0; mixed by p = 1/2, 2/3 (one look counts 0.5).
    scores = ColdStart({"popular": 1.0}).score(query(1.0), other)
    assert z_of(scores) == approx(0, A / 2, -A / 2)
    scores = ColdStart({"popular": 1.0}).score(query(1.0, 0.5, 0.5), other)
    assert z_of(scores) == approx(A / 3, A / 3, -2 * A / 3)


def test_without_a_prior_nothing_changes() -> None:
    given = candidates_of([0, 1], [0.2, NAN], popular=[3.0, 3.0])
    assert ColdStart({"popular": 1.0}).score(query(), given) is given.score
    assert ColdStart({"preferences": 1.0}).score(query(), candidates()).tolist() == [0.75, 0.5, 0.25]


def test_without_a_score_so_far_the_prior_decides() -> None:
    given = candidates_of([0, 1], [NAN, NAN], popular=[3.0, 4.0])
    # z of the prior: -1 and 1; half of it, on no other scale than its own.
    scores = ColdStart({"popular": 1.0}).score(query(1.0), given)
    assert z_of(scores) == approx(-0.5 / SIGMA, 0.5 / SIGMA)


def test_the_explanations_see_what_each_source_adds() -> None:
    given = candidates_of([0, 1, 2], [NAN] * 3, own=[3.0, 1.0, 2.0], popular=[0.0, 10.0, 20.0])
    asked = query(1.0, 1.0, 1.0)
    given.score = WeightedBlend({"own": 1.0, "popular": 0.0}).score(asked, given)
    score = ColdStart({"popular": 0.5}).score(asked, given)
    shares = asked.scratch["weighted_blend"]
    added = sum(factor * (given.source_scores[name] - mean) for name, (factor, mean) in shares.items())
    # What the shares add up to is the score's log-odds, but for their scale (1: those of `own` are its z).
    assert np.log(score / (1 - score.astype(np.float64))) == pytest.approx(added, abs=1e-5)
    # Three of four parts are his own: z(own) · 3/4 and z(popular) · 1/4.
    deviations = np.std([3.0, 1.0, 2.0]), np.std([0.0, 10.0, 20.0])
    assert shares["own"] == pytest.approx((0.75 / deviations[0], 2.0))
    assert shares["popular"] == pytest.approx((0.25 / deviations[1], 10.0))


def test_a_number_of_events_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^events must be above 0, not 0$"):
        ColdStart({}, events=0)
