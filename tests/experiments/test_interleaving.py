from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.exceptions import AnalysisRefused
from experiments.interleaving import NOBODY, Preference, credit, preference, team_draft
from tests.experiments.reference_methods import balanced_credit, winner


@pytest.mark.parametrize(
    ("rankings", "k", "expected"),
    [
        ([[1, 2], [2, 3]], 2, {(1, 2), (2, 1)}),
        ([[1, 2], [2, 3]], 3, {(1, 2, 3), (2, 1, 3)}),
        ([[1, 2], [2, 3]], 4, {(1, 2, 3), (2, 1, 3)}),
        ([[1, 2], [3, 4]], 3, {(1, 3, 2), (1, 3, 4), (3, 1, 2), (3, 1, 4)}),
        ([[1, 2], [2, 3], [3, 4]], 2, {(1, 2), (1, 3), (2, 1), (2, 3), (3, 1), (3, 2)}),
        ([[1, 2], [3, 4]], 0, {()}),
        ([[], []], 3, {()}),
    ],
)
def test_exactly_these_lists_can_come_out(rankings: list[list[int]], k: int, expected: set[tuple[int, ...]]) -> None:
    """R9."""
    assert {team_draft(rankings, k, Random(seed)).items for seed in range(200)} == expected


def test_two_orders_of_the_same_three_items_give_four_lists_with_teams() -> None:
    """R9."""
    drawn = [team_draft([[1, 2, 3], [2, 3, 1]], 3, Random(seed)) for seed in range(200)]
    assert {(one.items, one.teams) for one in drawn} == {
        ((1, 2, 3), (0, 1, 0)),
        ((1, 2, 3), (0, 1, 1)),
        ((2, 1, 3), (1, 0, 0)),
        ((2, 1, 3), (1, 0, 1)),
    }


def test_each_team_owns_what_it_drafted() -> None:
    """R9."""
    interleaved = team_draft([[1, 2], [3, 4]], 2, Random(0))
    assert (interleaved.picks(0), interleaved.picks(1)) == ((1,), (3,))


def test_the_longer_list_earns_nothing_for_its_length() -> None:
    for seed in range(50):
        interleaved = team_draft([[1], [2, 3, 4]], 4, Random(seed))
        assert sorted(interleaved.items[:2]) == [1, 2]
        assert interleaved.items[2:] == (3, 4)
        assert interleaved.teams[2:] == (NOBODY, NOBODY)


def test_one_ranking_cannot_be_interleaved() -> None:
    with pytest.raises(AnalysisRefused, match="at least two rankings, got 1"):
        team_draft([[1]], 3, Random(0))


@pytest.mark.parametrize(
    ("clicked", "expected"), [([0, 1, 2], 1), ([0, 1], None), ([1, 2], 1), ([0], 0), ([], None), ([0, 0, 1], None)]
)
def test_credit_of_a_list_of_one_slot_against_two(clicked: list[int], expected: int | None) -> None:
    """R9: shown 1, 3, 4; the first team drafted 1, the second 3 and 4."""
    assert winner(credit([0, 1, 1], clicked)) == expected


def test_a_slot_of_nobody_earns_nothing() -> None:
    assert credit([0, 1, NOBODY], [2]) == (0, 0)


@given(st.permutations(range(8)), st.permutations(range(8)), st.integers(0, 8), st.integers(0, 2**32))
def test_lists_are_fair(first: list[int], second: list[int], k: int, seed: int) -> None:
    """R9."""
    interleaved = team_draft([first, second], k, Random(seed))
    assert len(set(interleaved.items)) == len(interleaved.items) == k
    picks = interleaved.picks(0), interleaved.picks(1)
    assert len(picks[0]) + len(picks[1]) == k
    assert abs(len(picks[0]) - len(picks[1])) == k % 2
    for ranking, picked in zip((first, second), picks, strict=True):
        positions = [ranking.index(item) for item in picked]
        assert positions == sorted(positions)


@given(st.permutations(range(6)), st.permutations(range(6)))
def test_swapping_the_rankings_mirrors_the_possible_outcomes(first: list[int], second: list[int]) -> None:
    seeds = range(60)
    one = {(drawn.items, drawn.teams) for seed in seeds if (drawn := team_draft([first, second], 2, Random(seed)))}
    other = {(drawn.items, drawn.teams) for seed in seeds if (drawn := team_draft([second, first], 2, Random(seed)))}
    assert one == {(items, tuple(1 - team for team in teams)) for items, teams in other}


def test_identical_rankings_with_random_clicks_are_a_fair_game() -> None:
    """R9: 4,000 users, one random click each on a list of four: a fair coin, ± 4 standard deviations."""
    random, clicks = Random(1), np.random.default_rng(1).integers(0, 4, size=4_000)
    wins = [winner(credit(team_draft([[1, 2, 3, 4], [1, 2, 3, 4]], 4, random).teams, [int(click)])) for click in clicks]
    assert abs(wins.count(0) - wins.count(1)) <= 4 * 4_000**0.5


def test_preference_counts_users_and_tests_the_sign() -> None:
    """Two against eight: p = 2 (1 + 10 + 45) / 1024."""
    users = [(3, 0)] * 2 + [(0, 1)] * 8 + [(2, 2), (0, 0)]
    assert preference(users) == Preference(first=2, second=8, ties=2, share_of_second=0.8, p=pytest.approx(0.109375))


@pytest.mark.parametrize("users", [[], [(1, 1)]])
def test_nobody_with_a_preference_decides_nothing(users: list[tuple[int, int]]) -> None:
    assert preference(users) == Preference(first=0, second=0, ties=len(users), share_of_second=0.5, p=1.0)


@pytest.mark.parametrize(("clicked", "expected"), [([2], 1), ([0], 1), ([0, 1], None), ([], None)])
def test_credit_of_balanced_interleaving(clicked: list[int], expected: int | None) -> None:
    """R9: shown 2, 1, 3 of [1, 2] and [2, 3]."""
    assert winner(balanced_credit([2, 1, 3], [[1, 2], [2, 3]], clicked)) == expected


def test_other_lists_and_clicks_that_see_the_position_only_are_a_fair_game() -> None:
    """R9: 8,000 users who click a slot with a chance of 0.5 / its place, whatever stands there; ± 4 deviations."""
    random = Random(2)
    clicks = np.random.default_rng(2).random((8_000, 4)) < 0.5 / np.arange(1, 5)
    wins = [
        winner(credit(team_draft([[1, 2, 3, 4], [3, 5, 1, 6]], 4, random).teams, np.flatnonzero(of_user).tolist()))
        for of_user in clicks
    ]
    assert abs(wins.count(0) - wins.count(1)) <= 4 * (wins.count(0) + wins.count(1)) ** 0.5


def test_the_one_ranking_with_the_relevant_item_on_top_wins() -> None:
    """R9: nearly everybody clicks the item that only the second ranking has on top, the first has it fourth; hardly
    anybody clicks another (9,877 : 288 were measured)."""
    random, chance = Random(3), np.random.default_rng(3)
    wins = []
    for draws in chance.random((4_000, 3)):
        drawn = team_draft([[1, 2, 3, 9], [9, 1, 2, 3]], 3, random)
        clicked = [place for place, item in enumerate(drawn.items) if draws[place] < (0.95 if item == 9 else 0.02)]
        wins.append(winner(credit(drawn.teams, clicked)))
    assert wins.count(1) > 30 * wins.count(0)
