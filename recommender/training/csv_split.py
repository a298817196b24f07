"""Holds out a part of a file's rows, where there is no second file to measure on."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np

from recommender.exceptions import DataError
from recommender.training import csv_files, split
from recommender.training.csv_files import Row
from recommender.training.dataset import interactions
from recommender.training.split import Way


def split_file(path: Path, folder: Path, way: Way, *, share: float, seed: int) -> tuple[Path, Path]:
    """Write the rows to train on and those held out as two files into `folder`, and return them.

    Raises
    ------
    DataError
        When the file cannot be read, or nobody has enough interactions to hold any out.
    """
    train, test = split_rows(csv_files.read_interactions(path), way, share=share, seed=seed)
    if not test:
        raise DataError(f"{path.name}: nobody in it has enough interactions to hold any out.")
    return _write(folder / path.name, train), _write(folder / f"held out of {path.name}", test)


def split_rows(rows: list[Row], way: Way, *, share: float, seed: int) -> tuple[list[Row], list[Row]]:
    """Return the rows to train on and those held out, by `split.held_out`.

    Each (user, item) pair stands in one of the two, once: with its newest row. Rows without a time count as the oldest,
    in the order of the file.
    """
    times = np.nan_to_num(np.array([row.occurred_at for row in rows]), nan=-np.inf)
    by_time = np.argsort(times, kind="stable")
    # A place in time of its own leads from a pair back to its row.
    place = np.empty(len(rows))
    place[by_time] = np.arange(len(rows))
    user_row: dict[str, int] = {}
    item_row: dict[str, int] = {}
    pairs = interactions(
        users=np.array([user_row.setdefault(row.user_id, len(user_row)) for row in rows], dtype=np.int64),
        items=np.array([item_row.setdefault(row.item_id, len(item_row)) for row in rows], dtype=np.int64),
        weights=np.ones(len(rows), dtype=np.float32),
        occurred_at=place,
        n_users=len(user_row),
        n_items=len(item_row),
    )
    held_out = split.held_out(pairs, way, share=share, seed=seed)
    newest = by_time[pairs.occurred_at.astype(np.int64)]
    return [rows[line] for line in newest[~held_out]], [rows[line] for line in newest[held_out]]


def _write(path: Path, rows: list[Row]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["user_id", "item_id", "timestamp", "value"])
        for row in rows:
            writer.writerow([row.user_id, row.item_id, *map(_text, (row.occurred_at, row.value))])
    return path


def _text(number: float) -> str:
    return "" if math.isnan(number) else repr(number)
