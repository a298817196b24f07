"""The safeguard: what was learned serves only where it beat the best single source on users it did not learn from."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from recommender.ranking import blend, choosing
from recommender.ranking.examples import Examples
from recommender.ranking.learned import ARTEFACT
from tests.recommender.ranking.requests import Request, examples_of

USERS, CANDIDATES, SEED = 60, 12, 1


def requests(made: Callable[[int, np.random.Generator], Request]) -> Examples:
    random = np.random.default_rng(7)
    return examples_of(*(made(user, random) for user in range(USERS)))


def standardised(values: np.ndarray) -> list[float]:
    return list((values - values.mean()) / values.std())


def best_of(values: np.ndarray) -> list[int]:
    return (values == values.max()).astype(int).tolist()


def one_source_knows(user: int, random: np.random.Generator) -> Request:
    """`one` is right, mostly: what he takes has its best or its second best score. The others are noise."""
    one, two, three = random.normal(size=(3, CANDIDATES))
    taken = np.zeros(CANDIDATES, dtype=int)
    taken[np.argsort(-one)[int(user % 4 == 3)]] = 1
    return {"one": standardised(one), "two": standardised(two), "three": standardised(three), "taken": taken.tolist()}


def sources_that_turn(user: int, random: np.random.Generator) -> Request:
    """Each fold has a source that is right everywhere else and as wrong as can be here; `one` is right 4 of 5 times."""
    wanted = random.normal(size=CANDIDATES)
    fold = int(FOLDS[user])
    one = wanted if user % 5 else -wanted
    turning = {f"turns {other}": standardised(-wanted if other == fold else wanted) for other in range(choosing.FOLDS)}
    return {"one": standardised(one), **turning, "taken": best_of(wanted)}


def sum_of_two(user: int, random: np.random.Generator) -> Request:
    """What he takes is second in both lists, and first in their sum."""
    order = random.permutation(CANDIDATES)
    one, two = np.linspace(0.5, -0.5, CANDIDATES), np.linspace(-0.5, 0.5, CANDIDATES)
    one[:3], two[:3] = [3.0, 2.9, -3.0], [-3.0, 2.9, 3.0]
    taken = np.zeros(CANDIDATES, dtype=int)
    taken[1] = 1
    return {"one": one[order].tolist(), "two": two[order].tolist(), "taken": taken[order].tolist()}


def affinity_says_it(user: int, random: np.random.Generator) -> Request:
    """Sources are noise; he takes what is of his category."""
    one, two = random.normal(size=(2, CANDIDATES))
    affinity = random.permutation(np.arange(CANDIDATES) < 3).astype(float)
    return {"one": standardised(one), "two": standardised(two), "category.affinity": affinity, "taken": affinity}


FOLDS = choosing._folds(examples_of(*[{"one": [0.0], "taken": [1]}] * USERS), SEED)


def test_where_one_source_knows_it_alone_is_the_ranking() -> None:
    examples = requests(one_source_knows)
    ranking = choosing.choose(examples, SEED)
    assert (ranking.kind, ranking.weights, ranking.trees) == ("single", {"one": 1.0}, None)
    # 45 users took its first, 15 its second.
    assert ranking.quality["one"] == pytest.approx((45 + 15 / np.log2(3)) / 60)
    assert ranking.scores.tolist() == examples.features[:, 0].tolist()
    assert ranking.arrays() == {}


def test_what_learned_from_sources_that_turn_is_not_published() -> None:
    examples = requests(sources_that_turn)
    ranking = choosing.choose(examples, SEED)
    assert (ranking.kind, ranking.weights) == ("single", {"one": 1.0})
    # On the users that it did not learn from, the blend's best source is the one that is wrong there.
    assert ranking.quality["blend"] < ranking.quality["one"]
    assert ranking.quality["learned"] < ranking.quality["one"]
    assert examples.ndcg(ranking.scores, choosing.K).mean() == ranking.quality["one"]


def test_where_only_a_sum_knows_the_blend_is_the_ranking() -> None:
    examples = requests(sum_of_two)
    ranking = choosing.choose(examples, SEED)
    assert (ranking.kind, set(ranking.weights), ranking.trees) == ("blend", {"one", "two"}, None)
    assert ranking.quality["blend"] == 1.0
    assert ranking.quality["one"] == ranking.quality["two"] == pytest.approx(1 / np.log2(3))
    assert examples.ndcg(ranking.scores).tolist() == [1.0] * USERS
    assert ranking.arrays() == {}


def test_where_no_source_knows_trees_are_the_ranking() -> None:
    examples = requests(affinity_says_it)
    ranking = choosing.choose(examples, SEED)
    assert ranking.kind == "learned"
    assert ranking.quality["learned"] > max(ranking.quality["blend"], ranking.quality["one"], ranking.quality["two"])
    assert ranking.quality["learned"] > 0.9
    assert np.isfinite(ranking.scores).all()
    assert ranking.trees is not None
    assert ranking.arrays()[ARTEFACT].tobytes().decode() == ranking.trees.text
    # The published trees are made of all requests and rank them like the out-of-fold ones.
    published = ranking.trees.predict(blend.score(examples, ranking.weights), examples.features)
    assert examples.ndcg(published).mean() > 0.9


@pytest.mark.parametrize("seed", range(4))
def test_the_chosen_ranking_is_never_worse_than_the_best_single_source(seed: int) -> None:
    """On noise, whatever seems learned is luck; what is published is still what did best on unknown users."""
    random = np.random.default_rng(seed)
    noise = [
        {**{name: random.normal(size=6) for name in ("one", "two", "three")}, "taken": random.permutation(6) < 1}
        for _ in range(30)
    ]
    examples = examples_of(*noise)  # type: ignore[arg-type]
    ranking = choosing.choose(examples, seed)
    alone = max(ranking.quality[name] for name in examples.columns)
    published = examples.ndcg(ranking.scores, choosing.K).mean()
    assert published == pytest.approx(alone if ranking.kind == "single" else ranking.quality[ranking.kind])
    assert published >= alone
    if ranking.kind == "single":
        assert ranking.quality["blend"] <= alone


def test_a_gain_that_may_be_luck_is_not_sure() -> None:
    gained = np.zeros(100)
    assert choosing.surely(gained) == 0
    gained[:5] = [1, 1, 1, -1, -1]
    assert choosing.surely(gained) < 0
    gained[5:30] = 0.1
    # The mean is 0.035, the mean square 0.0525: a deviation of √(0.0525 − 0.035²), a tenth of it for 100 users.
    assert choosing.surely(gained) == pytest.approx(0.035 - 0.1 * (0.0525 - 0.035**2) ** 0.5)


def test_the_gain_is_what_is_surely_added_to_the_best_single_source() -> None:
    assert choosing.choose(requests(one_source_knows), SEED).gain == 0
    summed = choosing.choose(requests(sum_of_two), SEED)
    # All users gain alike: from 1 / log2(3) to 1.
    assert summed.gain == pytest.approx(np.log2(3) - 1)
    learned = choosing.choose(requests(affinity_says_it), SEED)
    alone = max(learned.quality["one"], learned.quality["two"])
    assert 0 < learned.gain < learned.quality["learned"] / alone - 1


def test_a_version_notes_the_choice_as_json() -> None:
    ranking = choosing.choose(requests(sum_of_two), SEED)
    meta = json.loads(json.dumps(ranking.meta()))
    assert meta["kind"] == "blend"
    assert meta["columns"] == ["one", "two"]
    assert meta["weights"] == ranking.weights
    assert set(meta["quality"]) == {"one", "two", "blend", "learned"}
    assert "intercept" not in meta
    assert {"intercept", "slope"} < set(choosing.choose(requests(affinity_says_it), SEED).meta())
