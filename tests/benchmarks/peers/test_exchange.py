from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.peers import exchange, popularity
from tests.benchmarks.peers.exchange import History

TRAIN = """user_id,item_id,timestamp
a,x,30
a,y,10
b,x,20
b,z,5
c,x,1
"""
TEST = """user_id,item_id,timestamp
c,z,9
a,new,40
c,y,10
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    (tmp_path / "train.csv").write_text(TRAIN)
    (tmp_path / "test.csv").write_text(TEST)
    return tmp_path / "train.csv", tmp_path / "test.csv", tmp_path / "lists.csv"


def test_a_history_is_in_the_order_of_time(files: tuple[Path, Path, Path]) -> None:
    history = exchange.read_history(files[0])
    assert (history.user_ids, history.item_ids) == (["a", "b", "c"], ["x", "y", "z"])
    assert history.users.tolist() == [2, 1, 0, 1, 0]
    assert history.items.tolist() == [0, 2, 1, 0, 0]
    assert history.taken.toarray().tolist() == [[1, 1, 0], [1, 0, 1], [1, 0, 0]]


def test_without_times_the_order_is_that_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("user_id,item_id,timestamp\na,y,\nb,x,\na,x,\n")
    history = exchange.read_history(tmp_path / "train.csv")
    assert (history.users.tolist(), history.items.tolist()) == ([0, 1, 0], [1, 0, 0])


def test_an_item_that_nobody_had_taken_counts_as_missed(files: tuple[Path, Path, Path]) -> None:
    assert exchange.held_out(exchange.read_history(files[0]), files[1]) == {2: {2, 1}, 0: {-1}}


def test_what_was_taken_is_left_out_and_a_tie_goes_to_the_first_row() -> None:
    history = History(
        user_ids=["a"], item_ids=["w", "x", "y", "z"], users=np.array([0, 0]), items=np.array([2, 2], dtype=np.int64)
    )
    assert history.best_unseen(0, np.array([1.0, 3.0, 9.0, 3.0])).tolist() == [1, 3, 0]


def test_lists_are_written_and_what_they_took_is_told(
    files: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only the users of the test file are ranked for: c has y and z left, a only z."""
    monkeypatch.setattr("sys.argv", ["popularity", "rank", *map(str, files), "{}"])
    exchange.main(popularity.fit)
    assert files[2].read_text().split() == ["user_id,item_id,rank", "c,y,1", "c,z,2", "a,z,1"]
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {"seconds", "memory"}
    assert told["seconds"] >= 0
    assert told["memory"] > 1_000_000


def test_trials_are_measured_until_the_time_is_up(files: tuple[Path, Path, Path]) -> None:
    """Both held-out items of c are found, the one of a cannot be: (1 + 0) / 2. Upside down it is the same."""
    history = exchange.read_history(files[0])
    wanted = exchange.held_out(history, files[1])
    trials = [{"sign": 1}, {"sign": -1}]

    def fit(history: History, *, sign: int) -> exchange.Recommend:
        return lambda users: [history.best_unseen(user, sign * np.arange(3)) for user in users.tolist()]

    assert exchange.tune(fit, history, wanted, trials, seconds=60) == [0.5, 0.5]
    assert exchange.tune(fit, history, wanted, trials, seconds=0) == [0.5]
