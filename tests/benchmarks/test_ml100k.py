from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks import ml100k


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "u.data").write_text("7\t20\t3\t300\n5\t10\t1\t100\n7\t10\t5\t200\n")
    (tmp_path / "u.genre").write_text("unknown|0\nAction|1\nFilm-Noir|2\n\n")
    (tmp_path / "u.item").write_text(
        "10|Pépé le Moko (1937)|02-Mar-1941||http://example.com/|0|1|1\n20|unknown||||0|0|0\n", encoding="latin-1"
    )
    return tmp_path


def test_ratings_are_read_by_rows_of_users_and_films(data: Path) -> None:
    ratings = ml100k.ratings(data)
    assert (ratings.user_ids, ratings.item_ids) == (["5", "7"], ["10", "20"])
    assert (ratings.users.tolist(), ratings.items.tolist()) == ([1, 0, 1], [1, 0, 0])
    assert ratings.timestamps is not None
    assert ratings.timestamps.tolist() == [300, 100, 200]


def test_genres_and_days_are_read_from_the_films(data: Path) -> None:
    ml100k.write_items(data, data / "items.csv")
    assert (data / "items.csv").read_text(encoding="utf-8").splitlines() == [
        "item_id,title,category,tags,published_at",
        "10,Pépé le Moko (1937),Action,Action|Film-Noir,1941-03-02T00:00:00Z",
        "20,unknown,,,",
    ]


def test_the_folder_is_found_by_the_environment(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECSITE_TEST_DATA", str(data))
    assert ml100k.folder() == data
    monkeypatch.setenv("RECSITE_TEST_DATA", str(data / "nothing"))
    assert ml100k.folder() is None
    monkeypatch.delenv("RECSITE_TEST_DATA")
    assert ml100k.folder() is None
