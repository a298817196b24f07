from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from experiments.bandits import Beliefs, floored
from recommender.contracts import Candidates, Query
from recommender.rerankers.exploration import Exploration, Slot, places, propensities, slot_of
from recommender.rules.compile import CompiledRules
from tests.recommender.worlds import NOW, candidates_of, catalogue_of, query_of

NAN = float("nan")
CATALOGUE = catalogue_of(*({} for _ in range(8)))
"""Keys 10, 20, …, 80."""


def query(explored: dict[int, int] | None = None, **fields: object) -> Query:
    return query_of(CATALOGUE, explored={} if explored is None else explored, **fields)


def ranked() -> Candidates:
    """Return rows 0..7 in this order; 5, 6 and 7 are unexplored."""
    scores = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2]
    return candidates_of(
        range(8), scores, unexplored=[NAN] * 5 + [0, 0, 0], content=[0.0, 0.0, 0.0, 0.0, 0.0, 0.5, NAN, -0.5]
    )


def test_one_unexplored_item_moves_to_one_of_the_positions() -> None:
    asked = query()
    moved = Exploration(first=2, last=4).rerank(asked, ranked())
    slot = slot_of(asked)
    assert slot is not None
    place = moved.rows.tolist().index(slot.row)
    assert (slot.first, slot.last, place in (1, 2, 3), slot.row in (5, 6, 7)) == (1, 3, True, True)
    others = [row for row in moved.rows.tolist() if row != slot.row]
    assert others == sorted(others)
    # It takes its follower's score, so that the order is that of the scores.
    assert moved.score[place] == moved.score[place + 1]
    assert (np.diff(moved.score) <= 0).all()


def test_the_least_shown_and_the_most_alike_are_drawn_most() -> None:
    # 5: (1 + 4 · 0.5) / (1 + 0)²; 6: 1 / (1 + 1)²; 7: 1 / (1 + 0)²: of 4.25 in all.
    chances = {5: 3 / 4.25, 6: 0.25 / 4.25, 7: 1 / 4.25}
    drawn: Counter[int] = Counter()
    for number in range(2000):
        asked = query({70: 1}, user_id=str(number))
        Exploration(first=2, last=4).rerank(asked, ranked())
        slot = slot_of(asked)
        assert slot is not None
        assert slot.chance == pytest.approx(chances[slot.row])
        drawn[slot.row] += 1
    # Four standard deviations of a share of 2,000 draws are at most 0.045.
    assert {row: times / 2000 for row, times in drawn.items()} == pytest.approx(chances, abs=0.045)


def test_only_the_least_shown_are_drawn_from() -> None:
    for number in range(50):
        asked, given = query(user_id=str(number)), ranked()
        given.source_scores["unexplored"] = np.array([NAN] * 5 + [-2, -1, 0], dtype=np.float32)
        Exploration(first=2, last=4, pool=2).rerank(asked, given)
        slot = slot_of(asked)
        assert slot is not None
        assert slot.row in (6, 7)


def test_a_reload_shows_the_same_and_the_next_hour_something_else() -> None:
    def rows(now: float) -> list[int]:
        return Exploration(first=2, last=4).rerank(query(now=now), ranked()).rows.tolist()

    assert rows(NOW) == rows(NOW + 3599)
    assert len({tuple(rows(NOW + 3600 * hour)) for hour in range(20)}) > 3


def test_hidden_items_are_never_drawn() -> None:
    hidden = np.array([False] * 5 + [True, False, True])
    for number in range(50):
        asked = query(user_id=str(number), rules=CompiledRules(hidden=hidden))
        Exploration(first=2, last=4).rerank(asked, ranked())
        slot = slot_of(asked)
        assert slot is not None
        assert slot.row == 6


@pytest.mark.parametrize(
    "asked",
    [query(limit=1), query(rules=CompiledRules(hidden=np.ones(8, dtype=bool)))],
    ids=["a list too short", "everything hidden"],
)
def test_without_room_or_items_nothing_moves(asked: Query) -> None:
    assert Exploration(first=2, last=4).rerank(asked, ranked()).rows.tolist() == list(range(8))
    assert slot_of(asked) is None


def test_what_is_among_the_first_by_itself_needs_no_slot() -> None:
    asked = query()
    assert Exploration(first=2, last=8).rerank(asked, ranked()).rows.tolist() == list(range(8))
    assert slot_of(asked) is None


def test_it_is_on_only_where_the_request_says_so() -> None:
    assert Exploration().enabled(query())
    assert not Exploration().enabled(query_of(CATALOGUE))


def test_positions_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^first and last must be positions in order, not 5 and 3$"):
        Exploration(first=5, last=3)


def test_the_probability_of_every_place_is_known() -> None:
    asked = query()
    # Drawn from positions 1, 2 and 3; row 7 with a chance of 0.6, and 2 is where it came to stand.
    asked.scratch["exploration"] = Slot(7, 0.6, 1, 3)
    shown = candidates_of([0, 1, 7, 2, 3, 4], [0.9, 0.8, 0.6, 0.6, 0.5, 0.4])
    # 0 stands before all positions. 1 is not pushed back by 2 and 3 of the three; 2 is by 1 and 2; 3 by all three.
    assert propensities(asked, shown) == pytest.approx([1, 2 / 3, 0.6 / 3, 2 / 3, 1, 1])


def test_all_that_could_have_stood_there_is_known() -> None:
    asked = query()
    # Drawn from positions 1 and 2: row 7 with 0.6, or 5 with 0.4; a pin stands at 1, so that the ranks are 0, 2, 3.
    asked.scratch["exploration"] = Slot(7, 0.6, 1, 2, ((5, 0.4),))
    found = places(asked, [0, 6, 7, 2], [False, True, False, False])
    assert {place: chance for place, chance in found.items() if chance} == pytest.approx(
        {(0, 0): 1, (6, 1): 1, (2, 2): 0.5, (2, 3): 0.5, (7, 2): 0.3, (7, 3): 0.3, (5, 2): 0.2, (5, 3): 0.2}
    )


def test_what_could_stand_at_a_place_is_as_probable_as_repeated_draws_put_it_there() -> None:
    stood: Counter[tuple[int, int]] = Counter()
    for number in range(2000):
        asked = query(user_id=str(number))
        moved = Exploration(first=2, last=4).rerank(asked, ranked()).take(np.arange(5))
        stood.update((row, position) for position, row in enumerate(moved.rows.tolist()))
        found = places(asked, moved.rows.tolist(), [False] * 5)
        assert [sum(chance for (_, at), chance in found.items() if at == place) for place in range(5)] == pytest.approx(
            [1] * 5
        )
    # Four standard deviations of a share of 2,000 draws are at most 0.045.
    assert {place: stood[place] / 2000 for place in found} == pytest.approx(found, abs=0.045)


def test_the_probabilities_are_those_of_repeated_draws() -> None:
    stood: Counter[tuple[int, int]] = Counter()
    stated: dict[tuple[int, int], float] = {}
    for number in range(3000):
        asked = query(user_id=str(number))
        moved = Exploration(first=2, last=4).rerank(asked, ranked()).take(np.arange(5))
        for position, (row, chance) in enumerate(
            zip(moved.rows.tolist(), propensities(asked, moved).tolist(), strict=True)
        ):
            stood[row, position] += 1
            stated[row, position] = chance
    # Four standard deviations of a share of 3,000 draws are at most 0.037.
    assert {place: times / 3000 for place, times in stood.items()} == pytest.approx(stated, abs=0.037)


def test_without_a_slot_and_for_pins_everything_is_certain() -> None:
    shown = candidates_of([0, 1, 7], [0.9, 0.8, 0.6])
    assert propensities(query(), shown).tolist() == [1, 1, 1]
    asked = query()
    asked.scratch["exploration"] = Slot(7, 0.6, 1, 3)
    pinned = replace(shown, pinned=np.array([False, True, False]))
    # The pin takes no rank: 0 stands before every position.
    assert propensities(asked, pinned) == pytest.approx([1, 1, 0.2])
    assert propensities(asked, shown.take(np.array([0, 1]))).tolist() == [1, 1]


def test_a_bandit_draws_what_people_take_with_the_probability_it_says() -> None:
    """Of twenty showings each, 5 was taken from twice, 6 ten times, 7 never: 6 is best for sure but for the floor."""
    shown, taken = {60: 20, 70: 20, 80: 20}, {60: 2, 70: 10}
    best = Beliefs(np.array([2.0, 10.0, 0.0]), np.array([18.0, 10.0, 20.0])).chances_to_be_best()
    chances = dict(zip((5, 6, 7), floored(best, 0.1).tolist(), strict=True))
    assert chances[6] > 0.75
    drawn: Counter[int] = Counter()
    for number in range(2000):
        asked = query(shown, taken=taken, user_id=str(number))
        Exploration(first=2, last=4, policy="thompson", floor=0.1).rerank(asked, ranked())
        slot = slot_of(asked)
        assert slot is not None
        assert slot.chance == pytest.approx(chances[slot.row])
        drawn[slot.row] += 1
    assert {row: times / 2000 for row, times in drawn.items()} == pytest.approx(chances, abs=0.045)


def test_a_bandit_that_knows_nothing_draws_each_alike() -> None:
    asked = query()
    Exploration(first=2, last=4, policy="thompson").rerank(asked, ranked())
    slot = slot_of(asked)
    assert slot is not None
    assert slot.chance == pytest.approx(1 / 3)


def test_what_is_taken_in_this_context_is_drawn_but_for_the_floor() -> None:
    """Of a Wednesday: 5 is taken by day and 6 in the evening, both twenty times of forty; 7 never."""
    by_day, evening = 0, 2
    contexts = {
        60: [(by_day, 40, 20), (evening, 40, 0)],
        70: [(by_day, 40, 0), (evening, 40, 20)],
        80: [(by_day, 40, 0), (evening, 40, 0)],
    }
    noon, night = (NOW // 86_400 * 86_400 + 3600 * hour for hour in (12, 20))
    for moment, best in ((noon, 5), (night, 6)):
        drawn: Counter[int] = Counter()
        for number in range(500):
            asked = query({}, explored_contexts=contexts, user_id=str(number), now=moment)
            Exploration(first=2, last=4, policy="linucb", floor=0.1).rerank(asked, ranked())
            slot = slot_of(asked)
            assert slot is not None
            assert slot.chance == pytest.approx(0.8 if slot.row == best else 0.1)
            drawn[slot.row] += 1
        assert drawn[best] / 500 == pytest.approx(0.8, abs=0.072)


def test_what_nothing_is_known_of_is_drawn_alike() -> None:
    asked = query()
    Exploration(first=2, last=4, policy="linucb").rerank(asked, ranked())
    slot = slot_of(asked)
    assert slot is not None
    assert slot.chance == pytest.approx(1 / 3)


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(ValueError, match="policy must be one of least_shown, thompson, linucb, not 'greedy'"):
        Exploration(policy="greedy")
