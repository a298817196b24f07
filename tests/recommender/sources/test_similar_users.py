from __future__ import annotations

import numpy as np
import pytest

from recommender.sources.similar_users import SimilarUsers
from tests.recommender.worlds import bundle_of, catalogue_of, history_of, query_of

CATALOGUE = catalogue_of({}, {}, {}, {})
# Item a lies along x, b along y, c and d nowhere; three users took a and c, b and d, and c alone.
FACTORS = [[1, 0], [0, 1], [0, 0], [0, 0]]
BUNDLE = bundle_of(
    [10, 20, 30, 40], factors=FACTORS, taken=[[1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]], regularization=1.0
)


def test_what_the_nearest_took_scores_by_how_near_they_are() -> None:
    query = query_of(CATALOGUE, BUNDLE, history=history_of([1, 0], [3.0, 4.0]))
    source = SimilarUsers(half_life=None)
    # The gram is I, so that the user is (4, 3) / 2: cosines 0.8 and 0.6; the third user has no direction at all.
    assert source.score(query, np.arange(4)) == pytest.approx([0.8, 0.6, 0.8, 0.6])
    assert source.retrieve(query, 3).tolist() == [0, 2, 1]
    # By history item b and then a.
    assert source.contributions(query, np.array([3, 2])) == pytest.approx(np.array([[0.6, 0], [0, 0.8]]))


def test_only_as_many_users_are_asked_as_are_wanted() -> None:
    query = query_of(CATALOGUE, BUNDLE, history=history_of([1, 0], [3.0, 4.0]))
    source = SimilarUsers(half_life=None, neighbours=1)
    assert source.score(query, np.arange(4)) == pytest.approx([0.8, 0, 0.8, 0])
    assert source.retrieve(query, 4).tolist() == [0, 2]


def test_people_who_took_the_seed_say_what_goes_with_it() -> None:
    query = query_of(CATALOGUE, BUNDLE, seed=1)
    assert SimilarUsers().score(query, np.arange(4)) == pytest.approx([0, 1, 0, 1])


def test_without_users_in_the_model_nobody_is_asked() -> None:
    bundle = bundle_of([10, 20, 30, 40], factors=FACTORS)
    assert not SimilarUsers().enabled(query_of(CATALOGUE, bundle, history=history_of([0])))
    assert not SimilarUsers().enabled(query_of(CATALOGUE, BUNDLE))
    assert not SimilarUsers().enabled(query_of(CATALOGUE, history=history_of([0])))
