"""recsite beside other recommenders: same split, same process limits, one scorer, each peer tuned on the same data.

Every peer is tuned on a split of the train side that is made as the outer one was; the settings that are tried stand in
`peers.roster`, and no trial begins after `processes.TUNING_SECONDS`. The best is trained once more on the whole train
side, on one processor as all are, and what that takes is in the table. recsite tunes itself while it trains.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from recommender.training import metrics
from tests.benchmarks import films, ml100k, splits
from tests.benchmarks.figures import Cell, Row
from tests.benchmarks.peers import processes, roster
from tests.benchmarks.peers.environments import Unavailable
from tests.benchmarks.peers.roster import Peer
from tests.benchmarks.splits import Ratings, Split
from tests.benchmarks.workbench import Workbench

SEED = 7
RECSITE = Peer(name="recsite", module="recsite_engine")
WAYS: dict[str, Callable[[Ratings], Split]] = {
    "by time": splits.by_time,
    "at random, without times": partial(splits.at_random, seed=SEED),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Files:
    """One split, written for processes to read."""

    name: str
    split: Split
    train: Path
    test: Path
    inner_train: Path
    inner_test: Path
    items: Path


def run(bench: Workbench) -> Iterator[Row]:
    """Measure every peer on every data set that is there, split by time and at random."""
    # Inherited by every peer: what a library does with many processors is not what is compared.
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for data_set in (films, ml100k):
        data = data_set.folder()
        if data is None:
            yield Row(name=f"side_by_side: {data_set.NAME}", value=None, unit="", note=data_set.MISSING)
            continue
        ratings = data_set.ratings(data)
        for way, split_by in WAYS.items():
            folder = bench.folder / f"{data_set.NAME} {way}"
            folder.mkdir()
            data_set.write_items(data, folder / "items.csv")
            files = _write(f"{data_set.NAME}, {way}", folder, split_by(ratings))
            for peer in (RECSITE, *roster.PEERS):
                bench.step(f"{files.name}: {peer.name}")
                yield from _rows(peer, files)


def _write(name: str, folder: Path, split: Split) -> _Files:
    inner = splits.again(split.train, seed=SEED)
    sides: dict[str, Ratings] = {
        "train": split.train,
        "test": split.test,
        "inner_train": inner.train,
        "inner_test": inner.test,
    }
    for side, ratings in sides.items():
        ratings.write(folder / f"{side}.csv")
    return _Files(
        name=name,
        split=split,
        items=folder / "items.csv",
        **{side: folder / f"{side}.csv" for side in sides},
    )


def _rows(peer: Peer, files: _Files) -> Iterator[Row]:
    """Yield the line of one peer."""
    try:
        figures, note = _measured(peer, files)
    except Unavailable as reason:
        figures, note = {"NDCG@10": (None, "")}, f"not run: {reason}"
    for column, (value, unit) in figures.items():
        yield Row(
            name=f"side_by_side: {files.name}: {peer.name}: {column}",
            value=value,
            unit=unit,
            note=note,
            cell=Cell(table=files.name, line=peer.name, column=f"{column}, {unit}" if unit else column),
        )


def _measured(peer: Peer, files: _Files) -> tuple[dict[str, tuple[float | None, str]], str]:
    """Return value and unit of each column, and what was chosen."""
    if peer is RECSITE:
        settings, note = {"items": str(files.items)}, ""
    else:
        tuned = processes.tune(peer, files.inner_train, files.inner_test)
        varied = [name for name, value in tuned.settings.items() if any(trial[name] != value for trial in peer.trials)]
        chosen = ", ".join(f"{name} {tuned.settings[name]}" for name in varied)
        settings, note = tuned.settings, f"best of {tuned.trials}: {chosen}" if varied else ""
    lists = files.train.with_name("lists.csv")
    cost = processes.rank(peer, files.train, files.test, lists, settings)
    at_10, at_20 = (_metrics(lists, files.split, k) for k in (10, 20))
    figures: dict[str, tuple[float | None, str]] = {
        "NDCG@10": (at_10.ndcg, ""),
        "recall@20": (at_20.recall, ""),
        "coverage@10": (at_10.coverage, ""),
        "training": (cost.seconds, "s"),
        "peak memory": (cost.memory / 1e6, "MB"),
    }
    return figures, note


def _metrics(lists: Path, split: Split, k: int) -> metrics.Metrics:
    wanted = split.held_out()
    ranked = read_lists(lists, split.train)
    return metrics.measure(
        [np.array(ranked.get(user, []), dtype=np.int64) for user in wanted],
        [np.array(sorted(items), dtype=np.int64) for items in wanted.values()],
        k=k,
        catalogue_size=len(np.unique(split.train.items)),
    )


def read_lists(path: Path, ratings: Ratings) -> dict[int, list[int]]:
    """Return user → items of a file `user_id,item_id,rank`, best first, as rows of `ratings`."""
    user_of = {name: row for row, name in enumerate(ratings.user_ids)}
    # An item that nobody rated has a row of its own, which is never right.
    item_of = {name: row for row, name in enumerate(ratings.item_ids)}
    lists: dict[int, list[tuple[int, int]]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            item = item_of.setdefault(row["item_id"], len(item_of))
            lists.setdefault(user_of[row["user_id"]], []).append((int(row["rank"]), item))
    return {user: [item for _, item in sorted(ranked)] for user, ranked in lists.items()}
