from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.benchmarks import splits
from tests.benchmarks.splits import Ratings

RATINGS = Ratings(
    user_ids=["3", "7"],
    item_ids=["1", "2", "3", "4", "5", "8", "9"],
    users=np.array([1, 1, 1, 1, 1, 0, 0]),
    items=np.array([4, 0, 3, 2, 1, 6, 5]),
    timestamps=np.array([300, 100, 200, 200, 50, 10, 10]),
)


def test_the_newest_fifth_of_each_user_is_held_out(tmp_path: Path) -> None:
    """A fifth of five is one; a fifth of two is none, so that user is not measured."""
    split = splits.by_time(RATINGS)
    assert split.held_out() == {1: {4}}
    split.train.write(tmp_path / "train.csv")
    assert (tmp_path / "train.csv").read_text().split() == [
        "user_id,item_id,timestamp", "3,8,10", "3,9,10", "7,2,50", "7,1,100", "7,3,200", "7,4,200",
    ]  # fmt: skip


def test_a_random_split_knows_no_times(tmp_path: Path) -> None:
    split = splits.at_random(RATINGS, seed=1)
    assert len(split.train.users) == 6
    assert split.test.users.tolist() == [1]
    both = sorted(split.train.items.tolist() + split.test.items.tolist())
    assert both == [0, 1, 2, 3, 4, 5, 6]
    split.test.write(tmp_path / "test.csv")
    item = split.test.item_ids[split.test.items[0]]
    assert (tmp_path / "test.csv").read_text().split() == ["user_id,item_id,timestamp", f"7,{item},"]


def test_a_random_split_depends_on_its_seed_only() -> None:
    held_out = {
        seed: [tuple(splits.at_random(RATINGS, seed=seed).test.items.tolist()) for _ in range(2)] for seed in range(9)
    }
    assert all(first == second for first, second in held_out.values())
    assert len({first for first, _ in held_out.values()}) > 1


def test_the_inner_split_is_made_as_the_outer_one_was() -> None:
    inner = splits.again(splits.by_time(RATINGS).train, seed=1)
    assert inner.train.timestamps is not None
    assert splits.again(splits.at_random(RATINGS, seed=1).train, seed=1).train.timestamps is None
