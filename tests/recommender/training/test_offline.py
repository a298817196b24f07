"""How the validation is drawn: as the test was, as far as its times and numbers tell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from recommender.training import offline
from recommender.training.dataset import Interactions
from recommender.training.split import Way


class Drawn(Exception):
    """What reached the fit."""

    def __init__(self, data: Interactions, way: Way) -> None:
        super().__init__(way)
        self.data = data
        self.way = way


@pytest.fixture
def drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def fit(data: Interactions, catalogue: object, *, way: Way, progress: object) -> None:
        raise Drawn(data, way)

    def drawn(train: str, test: str) -> Drawn:
        for name, lines in (("train", train), ("test", test)):
            (tmp_path / f"{name}.csv").write_text("user_id,item_id,timestamp\n" + lines.replace(" ", "\n") + "\n")
        with pytest.raises(Drawn) as reached:
            offline.run(tmp_path / "train.csv", tmp_path / "test.csv", None, k=10)
        return reached.value

    monkeypatch.setattr(offline, "fit", fit)
    return drawn


TRAIN = "ann,a,1 ann,b,2 ann,c,3 bob,a,5 bob,c,6"


@pytest.mark.parametrize(
    ("test", "way"),
    [
        # Later than the user's last one, several of one user.
        ("ann,d,4 ann,e,5 bob,d,7", "time"),
        # Later, one of each user.
        ("ann,d,4 bob,d,7", "leave-one-out"),
        # Before the user's last one.
        ("ann,d,1 ann,e,2 bob,d,7", "random"),
        # No times, or not all of them.
        ("ann,d, ann,e, bob,d,", "random"),
        ("ann,d,4 ann,e, bob,d,7", "random"),
        # A single pair may be either.
        ("ann,d,4", "time"),
        # Nobody is known.
        ("eve,d,4 eve,e,5", "random"),
        # A user of the test only says nothing of how it was drawn.
        ("ann,d,4 bob,d,7 eve,d,1 eve,e,2", "leave-one-out"),
        # At the very moment of the last one is not before it.
        ("ann,d,3 ann,e,3 bob,d,6", "time"),
    ],
)
def test_the_validation_is_drawn_as_the_test_was(drawn: Any, test: str, way: Way) -> None:
    assert drawn(TRAIN, test).way == way


def test_a_few_misplaced_events_are_no_random_split(drawn: Any) -> None:
    later = " ".join(f"ann,later{number},9" for number in range(19))
    assert drawn(TRAIN, f"{later} ann,d,1").way == "time"
    assert drawn(TRAIN, f"{later} ann,d,1 ann,e,1").way == "random"


@pytest.mark.parametrize(
    ("train", "ordered"),
    [
        (TRAIN, True),
        ("ann,a, ann,b, bob,a,", False),
        # All at once, as when a table was exported without its times.
        ("ann,a,7 ann,b,7 bob,a,7", False),
        # More than half have one.
        ("ann,a,1 ann,b,2 bob,a,", True),
        ("ann,a,1 ann,b,2 bob,a, bob,b,", False),
    ],
)
def test_times_tell_an_order_where_most_have_one_and_not_all_the_same(drawn: Any, train: str, ordered: bool) -> None:
    reached = drawn(train, "ann,d,9 bob,d,9")
    assert reached.data.ordered == ordered
    assert reached.way == ("leave-one-out" if ordered else "random")


def test_what_has_no_time_counts_as_the_oldest_in_the_order_of_the_file(drawn: Any) -> None:
    data = drawn("ann,a,5 ann,b, ann,c,6 ann,d,", "ann,e,9").data
    assert data.items.tolist() == [1, 3, 0, 2]
    assert drawn("ann,b, ann,a, ann,c,", "ann,e,9").data.items.tolist() == [0, 1, 2]
