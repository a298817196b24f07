"""Sets in which it is known what tuning has to find: pairs of items that go together, and who wants which partner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from pytest_django import Settings as DjangoSettings

from recommender.training import tuning
from recommender.training.dataset import Interactions
from recommender.training.settings import Settings, untuned
from tests.recommender.worlds import interactions_of

GROUPS = 20
"""Group g is the items 2g and 2g + 1: whoever takes the one takes the other."""
ASKED = 30
HISTORY = 5


@pytest.fixture(autouse=True)
def small(settings: DjangoSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RECOMMENDER_TUNING = {"users": 1000, "ranked_users": 1000, "minimum_users": ASKED}
    monkeypatch.setattr(tuning, "ALS_CHOICES", ((8, 1.0, 1.0),))


def world(wanted: Callable[[list[int]], list[int]]) -> tuple[Interactions, Interactions]:
    """Return the past of users who took five items of different groups, and what they take then.

    Twenty users of each group say which items go together. `wanted` picks of the partners of a history, oldest first.
    """
    random = np.random.default_rng(4)
    past = [(ASKED + user, item) for user in range(20 * GROUPS) for item in (user // 20 * 2, user // 20 * 2 + 1)]
    later: list[tuple[int, int]] = []
    for user in range(ASKED):
        groups = random.permutation(GROUPS)[:HISTORY].tolist()
        past += [(user, 2 * group) for group in groups]
        later += [(user, item) for item in wanted([2 * group + 1 for group in groups])]
    n_users, n_items = ASKED + 20 * GROUPS, 2 * GROUPS
    return (
        interactions_of(*past, n_users=n_users, n_items=n_items),
        interactions_of(*later, n_users=n_users, n_items=n_items),
    )


def tuned(wanted: Callable[[list[int]], list[int]], *, ordered: bool = True) -> Settings:
    past, later = (replace(data, ordered=ordered) for data in world(wanted))
    return tuning.tune(past, later, untuned(), 1, lambda stage: None)


def test_where_only_the_newest_item_matters_the_history_fades() -> None:
    found = tuned(lambda partners: partners[-1:])
    # Every half-life puts the newest item's partner first; of equals the first is taken.
    assert found.half_lives["item_to_item"] == 2.0
    assert {found.half_lives[name] for name in ("item_to_item_balanced", "random_walk", "content")} == {2.0}
    assert found.next_items.half_life == found.half_lives["next_items"] == 2.0


def test_where_the_oldest_item_matters_as_much_nothing_fades() -> None:
    found = tuned(lambda partners: partners[:1])
    assert found.half_lives["item_to_item"] is None
    assert found.half_lives["collaborative"] is None


def test_where_all_items_matter_alike_nothing_fades() -> None:
    assert tuned(lambda partners: partners).half_lives["item_to_item"] is None


def test_data_without_an_order_has_no_recency_to_try() -> None:
    stages: list[str] = []
    past, later = (replace(data, ordered=False) for data in world(lambda partners: partners[-1:]))
    found = tuning.tune(past, later, untuned(), 1, stages.append)
    assert stages == ["tuning: item to item", "tuning: random walk", "tuning: collaborative"]
    names = ("item_to_item", "item_to_item_balanced", "random_walk", "collaborative", "content")
    assert {found.half_lives[name] for name in names} == {None}
    assert found.next_items == untuned().next_items


def test_a_parameter_that_nothing_beats_is_kept() -> None:
    """The right partner is on top whatever λ: it stays where it began."""
    found = tuned(lambda partners: partners[-1:])
    assert found.item_to_item.regularization == untuned().item_to_item.regularization
    assert found.next_items.regularization == untuned().next_items.regularization
    assert found.als.iterations == untuned().als.iterations


def test_too_few_users_say_too_little(settings: DjangoSettings) -> None:
    settings.RECOMMENDER_TUNING = {"users": 1000, "ranked_users": 1000, "minimum_users": ASKED + 1}
    past, later = world(lambda partners: partners[-1:])
    start = untuned()
    assert tuning.tune(past, later, start, 1, lambda stage: None) is start


def test_a_sample_of_the_users_is_enough(settings: DjangoSettings) -> None:
    settings.RECOMMENDER_TUNING = {"users": 10, "ranked_users": 1000, "minimum_users": ASKED}
    assert tuned(lambda partners: partners[-1:]).half_lives["item_to_item"] == 2.0


@pytest.mark.parametrize(
    ("best", "found"), [(300, 300), (100, 100), (900, 900), (2700, 2700), (10, 100 / 9), (1e9, 8100)]
)
def test_a_search_goes_on_by_factors_of_three_while_it_gets_better(best: float, found: float) -> None:
    start = 300.0
    assert tuning._climb(start, lambda tried: -abs(np.log(tried / best))) == pytest.approx(found)
