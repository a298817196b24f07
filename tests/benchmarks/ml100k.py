"""MovieLens 100K, for figures that others have published on it, too."""

from __future__ import annotations

import csv
import os
from datetime import datetime
from pathlib import Path

import numpy as np

from tests.benchmarks.splits import Ratings

NAME = "ml-100k"
MISSING = f"no {NAME}: set RECSITE_TEST_DATA (or DATA) to its folder, or to the folder that it is in"
FIRST_GENRE = 5
"""Column of u.item: id, title, two dates and an address come before the flags, one a line of u.genre."""


def folder() -> Path | None:
    """Return the folder of the data set: RECSITE_TEST_DATA or below it; None without it."""
    given = os.environ.get("RECSITE_TEST_DATA")
    for place in (Path(given), Path(given) / NAME) if given else ():
        if (place / "u.data").exists():
            return place
    return None


def ratings(data: Path) -> Ratings:
    """Return all ratings; how many stars is not read, a film rated was a film watched."""
    table = np.loadtxt(data / "u.data", delimiter="\t", usecols=(0, 1, 3), dtype=np.int64)
    return Ratings.of(table)


def write_items(data: Path, path: Path) -> None:
    """Write title, genres and day of release of every film as `item_id,title,category,tags,published_at`."""
    genres = [line.partition("|")[0] for line in (data / "u.genre").read_text(encoding="latin-1").split()]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["item_id", "title", "category", "tags", "published_at"])
        for line in (data / "u.item").read_text(encoding="latin-1").splitlines():
            film, title, released, *_ = fields = line.split("|")
            tags = [genre for genre, flag in zip(genres, fields[FIRST_GENRE:], strict=True) if flag == "1"]
            day = f"{datetime.strptime(released, '%d-%b-%Y'):%Y-%m-%dT00:00:00Z}" if released else ""
            writer.writerow([film, title, tags[0] if tags else "", "|".join(tags), day])
