from __future__ import annotations

from math import nan
from pathlib import Path

import pytest

from recommender.exceptions import DataError
from recommender.training.csv_files import Row
from recommender.training.csv_split import split_file, split_rows
from recommender.training.split import Way


def rows(*events: tuple[str, str, float]) -> list[Row]:
    return [Row(user_id=user, item_id=item, occurred_at=time, value=nan) for user, item, time in events]


def pairs(found: list[Row]) -> list[tuple[str, str]]:
    return [(row.user_id, row.item_id) for row in found]


FILE = rows(
    ("ann", "up", 5),
    ("bob", "up", 1),
    ("ann", "heat", 3),
    ("ann", "coco", 9),
    ("ann", "coco", 1),
    ("ann", "clue", nan),
    ("ann", "thief", 4),
)
"""Ann in time order: clue (without a time), heat, thief, up, coco; Bob has one film."""


@pytest.mark.parametrize(
    ("way", "share", "held_out"),
    [
        ("time", 0.2, [("ann", "coco")]),
        ("time", 0.4, [("ann", "up"), ("ann", "coco")]),
        ("leave-one-out", 0.4, [("ann", "coco")]),
    ],
)
def test_the_newest_are_held_out(way: Way, share: float, held_out: list[tuple[str, str]]) -> None:
    train, test = split_rows(FILE, way, share=share, seed=1)
    everything = [("ann", "clue"), ("ann", "heat"), ("ann", "thief"), ("ann", "up"), ("ann", "coco"), ("bob", "up")]
    assert pairs(test) == held_out
    assert pairs(train) == [pair for pair in everything if pair not in held_out]


def test_a_pair_that_came_twice_is_its_newest_row() -> None:
    train, test = split_rows(FILE, "leave-one-out", share=0.2, seed=1)
    assert [row.occurred_at for row in test] == [9]
    assert ("ann", "coco") not in pairs(train)


def test_a_random_share_has_its_size_and_its_seed() -> None:
    def held_out(seed: int) -> list[tuple[str, str]]:
        train, test = split_rows(FILE, "random", share=0.4, seed=seed)
        assert sorted(pairs(train) + pairs(test)) == sorted({(row.user_id, row.item_id) for row in FILE})
        return pairs(test)

    assert len(held_out(1)) == 2
    assert held_out(1) == held_out(1)
    assert len({tuple(held_out(seed)) for seed in range(20)}) > 1


def test_without_times_the_file_is_in_order() -> None:
    train, test = split_rows(rows(("ann", "up", nan), ("ann", "heat", nan)), "leave-one-out", share=0.2, seed=1)
    assert (pairs(train), pairs(test)) == ([("ann", "up")], [("ann", "heat")])


def test_a_file_becomes_two(tmp_path: Path) -> None:
    file, folder = tmp_path / "all.csv", tmp_path / "parts"
    folder.mkdir()
    file.write_text("user_id,item_id,timestamp,value\nann,up,2,4.5\nann,heat,1.5,\n")
    train, test = split_file(file, folder, "leave-one-out", share=0.2, seed=1)
    assert train.name == "all.csv"
    assert train.read_text() == "user_id,item_id,timestamp,value\nann,heat,1.5,\n"
    assert test.read_text() == "user_id,item_id,timestamp,value\nann,up,2.0,4.5\n"


def test_a_file_with_nothing_to_hold_out_is_refused(tmp_path: Path) -> None:
    (tmp_path / "all.csv").write_text("user_id,item_id,timestamp\nann,up,2\n")
    with pytest.raises(DataError, match=r"^all\.csv: nobody in it has enough interactions to hold any out\.$"):
        split_file(tmp_path / "all.csv", tmp_path, "time", share=0.2, seed=1)
    assert [file.name for file in tmp_path.iterdir()] == ["all.csv"]
