"""The real input: MovieLens latest-small, where it lies."""

from __future__ import annotations

import csv
import os
import re
from pathlib import Path

import numpy as np

from recsite.environment import BASE_DIRECTORY
from tests.benchmarks.splits import Ratings

NAME = "ml-latest-small"
MISSING = f"no {NAME}: set RECSITE_TEST_DATA to its folder"


def folder() -> Path | None:
    """Return the folder of the data set: RECSITE_TEST_DATA or below it, or beside the project; None without it."""
    beside = BASE_DIRECTORY.parent / "shared" / "data"
    given = os.environ.get("RECSITE_TEST_DATA")
    for place in (Path(given), Path(given) / NAME) if given else (beside / NAME,):
        if (place / "ratings.csv").exists():
            return place
    return None


def ratings(data: Path) -> Ratings:
    """Return all ratings; how many stars is not read, a film rated was a film watched."""
    table = np.loadtxt(data / "ratings.csv", delimiter=",", skiprows=1, usecols=(0, 1, 3), dtype=np.int64)
    return Ratings.of(table)


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
