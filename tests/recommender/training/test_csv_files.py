from __future__ import annotations

from datetime import UTC, datetime
from math import isnan
from pathlib import Path
from typing import Any

import pytest

from recommender.exceptions import DataError
from recommender.training.csv_files import read_interactions, read_items


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "file.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_interactions_may_have_epoch_seconds_dates_and_values(write: Any) -> None:
    rows = read_interactions(
        write(
            "user_id,item_id,timestamp,value\n"
            "ann,heat,1704067200,4.5\n"
            " ann , up ,2024-01-01T00:00:01Z,\n"
            '"bob, the builder",heat,2024-01-01T01:00:00+01:00,\n'
            "bob,up,2024-01-02,\n"
        )
    )
    newyear = datetime(2024, 1, 1, tzinfo=UTC).timestamp()
    assert [(row.user_id, row.item_id, row.occurred_at - newyear) for row in rows] == [
        ("ann", "heat", 0), ("ann", "up", 1), ("bob, the builder", "heat", 0), ("bob", "up", 86_400),
    ]  # fmt: skip
    assert rows[0].value == 4.5
    assert all(row.value != row.value for row in rows[1:])


@pytest.mark.parametrize("content", ["item_id,user_id\nheat,ann\n", "item_id,timestamp,user_id\nheat,,ann\n"])
def test_a_time_may_be_missing(write: Any, content: str) -> None:
    (row,) = read_interactions(write(content))
    assert (row.user_id, row.item_id, isnan(row.occurred_at)) == ("ann", "heat", True)


def test_a_spreadsheets_byte_order_mark_is_no_part_of_the_header(write: Any) -> None:
    assert len(read_interactions(write(b"\xef\xbb\xbfuser_id,item_id\r\nann,heat\r\n"))) == 1


def test_items_have_tags_and_dates(write: Any) -> None:
    items = read_items(
        write(
            "item_id,title,category,tags,published_at,creators\n"
            "heat,Heat,Crime,heist| police |,1995-12-15,Michael Mann\n"
            "up,,,,,\n"
        )
    )
    (heat, out), (up, unknown) = items
    assert (heat.title, heat.category, heat.tags, heat.creators, heat.year) == (
        "Heat", "Crime", ("heist", "police"), ("Michael Mann",), 1995,
    )  # fmt: skip
    assert out == datetime(1995, 12, 15, tzinfo=UTC)
    assert (up.title, up.category, up.tags, up.year, unknown) == ("up", "", (), None, None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "file.csv: is empty; a header with user_id, item_id is needed."),
        ("user,item\n", "file.csv: the header lacks user_id, item_id; it has user, item."),
        ("user_id,item\na,b\n", "file.csv: the header lacks item_id; it has user_id, item."),
        ("user_id,item_id\nann,heat\nann\n", "file.csv, line 3: 2 columns are needed."),
        ("user_id,item_id\nann,heat,1\n", "file.csv, line 2: 2 columns are needed."),
        ("user_id,item_id\n ,heat\n", "file.csv, line 2: user_id and item_id must not be empty."),
        (
            "user_id,item_id,timestamp\na,b,1\na,c,yesterday\n",
            "file.csv, line 3: 'yesterday' is no epoch second and no ISO 8601 time.",
        ),
        ("user_id,item_id,timestamp\na,b,nan\n", "file.csv, line 2: 'nan' is no time."),
        ("user_id,item_id,timestamp,value\na,b,1,good\n", "file.csv, line 2: value 'good' is no number."),
        ('user_id,item_id\nann,"heat\n', "file.csv, line 2: unexpected end of data."),
        ('user_id,item_id\nann,"heat"s\n', "file.csv, line 2: ',' expected after '\"'."),
        (b"user_id,item_id\nann,heat\nbj\xf6rn,heat\n", "file.csv, line 3: is not UTF-8: invalid start byte."),
    ],
)
def test_what_is_wrong_is_said_with_file_and_line(write: Any, content: str | bytes, message: str) -> None:
    with pytest.raises(DataError) as refused:
        read_interactions(write(content))
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("title\nHeat\n", "file.csv: the header lacks item_id; it has title."),
        ("item_id,title\n,Heat\n", "file.csv, line 2: item_id must not be empty."),
        (
            "item_id,published_at\nheat,818985600000\n",
            "file.csv, line 2: '818985600000' lies beyond the year 9999 (epoch seconds are meant, not milliseconds).",
        ),
        (
            "item_id,published_at\nheat,soon\n",
            "file.csv, line 2: 'soon' is no epoch second and no ISO 8601 time.",
        ),
    ],
)
def test_what_is_wrong_with_items_is_said_too(write: Any, content: str, message: str) -> None:
    with pytest.raises(DataError) as refused:
        read_items(write(content))
    assert str(refused.value) == message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^absent\.csv: No such file or directory\.$"):
        read_interactions(tmp_path / "absent.csv")
    with pytest.raises(DataError, match=r": Is a directory\.$"):
        read_interactions(tmp_path)
