from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks import films

RATINGS = """userId,movieId,rating,timestamp
7,5,4.0,300
7,1,4.0,100
7,4,4.0,200
7,3,4.0,200
7,2,4.0,50
3,9,5.0,10
3,8,5.0,10
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "ratings.csv").write_text(RATINGS)
    return tmp_path


def test_ratings_are_read_by_rows_of_users_and_films(data: Path) -> None:
    ratings = films.ratings(data)
    assert (ratings.user_ids, ratings.item_ids) == (["3", "7"], ["1", "2", "3", "4", "5", "8", "9"])
    assert ratings.users.tolist() == [1, 1, 1, 1, 1, 0, 0]
    assert ratings.items.tolist() == [4, 0, 3, 2, 1, 6, 5]
    assert ratings.timestamps is not None
    assert ratings.timestamps.tolist() == [300, 100, 200, 200, 50, 10, 10]


def test_the_folder_is_found_by_the_environment(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECSITE_TEST_DATA", str(data))
    assert films.folder() == data
    monkeypatch.setenv("RECSITE_TEST_DATA", str(data / "nothing"))
    assert films.folder() is None


def test_genres_and_years_are_read_from_the_films(tmp_path: Path) -> None:
    (tmp_path / "movies.csv").write_text(
        'movieId,title,genres\n1,"Thing, The (1982)",Horror|Sci-Fi\n2,Untitled,(no genres listed)\n'
    )
    films.write_items(tmp_path, tmp_path / "items.csv")
    assert (tmp_path / "items.csv").read_text().splitlines() == [
        "item_id,title,category,tags,published_at",
        '1,"Thing, The (1982)",Horror,Horror|Sci-Fi,1982-01-01T00:00:00Z',
        "2,Untitled,,,",
    ]
