"""The real input: MovieLens latest-small, where it lies, and its ratings split by time."""

from __future__ import annotations

import csv
import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recsite.environment import BASE_DIRECTORY

NAME = "ml-latest-small"
MISSING = f"no {NAME}: set RECSITE_TEST_DATA to its folder"
HELD_OUT = 0.2


def folder() -> Path | None:
    """Return the folder of the data set: RECSITE_TEST_DATA or below it, or beside the project; None without it."""
    beside = BASE_DIRECTORY.parent / "shared" / "data"
    given = os.environ.get("RECSITE_TEST_DATA")
    for place in (Path(given), Path(given) / NAME) if given else (beside / NAME,):
        if (place / "ratings.csv").exists():
            return place
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Ratings as (n,) rows of `users` and `items`; `later` marks the held-out ones."""

    user_ids: list[str]
    item_ids: list[str]
    users: NDArray[np.int64]
    items: NDArray[np.int64]
    timestamps: NDArray[np.int64]
    later: NDArray[np.bool_]

    def held_out(self) -> dict[int, set[int]]:
        """Return user → the items he took later."""
        wanted: dict[int, set[int]] = {}
        for user, item in zip(self.users[self.later].tolist(), self.items[self.later].tolist(), strict=True):
            wanted.setdefault(user, set()).add(item)
        return wanted

    def write(self, path: Path, *, later: bool) -> None:
        """Write one side as `user_id,item_id,timestamp`."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["user_id", "item_id", "timestamp"])
            for place in np.flatnonzero(self.later == later):
                user, item = self.user_ids[self.users[place]], self.item_ids[self.items[place]]
                writer.writerow([user, item, self.timestamps[place]])


def split(data: Path) -> Split:
    """Return the ratings, the last ⌊20 %⌋ of each user's held out (equal times: by item id)."""
    table = np.loadtxt(data / "ratings.csv", delimiter=",", skiprows=1, usecols=(0, 1, 3), dtype=np.int64)
    user_names, users = np.unique(table[:, 0], return_inverse=True)
    item_names, items = np.unique(table[:, 1], return_inverse=True)
    order = np.lexsort((items, table[:, 2], users))
    users, items, timestamps = users[order], items[order], table[order, 2]
    counts = np.bincount(users)
    position = np.arange(len(users)) - np.repeat(np.cumsum(counts) - counts, counts)
    kept = counts - np.floor(HELD_OUT * counts).astype(np.int64)
    return Split(
        user_ids=[str(name) for name in user_names],
        item_ids=[str(name) for name in item_names],
        users=users,
        items=items,
        timestamps=timestamps,
        later=position >= kept[users],
    )


def write_items(data: Path, path: Path) -> None:
    """Write title, genres and year of every film as `item_id,title,category,tags,published_at`.

    People's tags stay out: many were given after the ratings that are held out.
    """
    with (
        (data / "movies.csv").open(encoding="utf-8", newline="") as source,
        path.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(["item_id", "title", "category", "tags", "published_at"])
        for film in csv.DictReader(source):
            genres = [] if film["genres"].startswith("(") else film["genres"].split("|")
            year = re.search(r"\((\d{4})\)\s*$", film["title"])
            published = f"{year.group(1)}-01-01T00:00:00Z" if year else ""
            writer.writerow([film["movieId"], film["title"], genres[0] if genres else "", "|".join(genres), published])
