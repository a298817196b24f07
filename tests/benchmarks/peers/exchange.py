"""What every peer reads and writes: a history, whom to rank for, the lists, and what it took.

    python -m tests.benchmarks.peers.NAME tune TRAIN.csv TEST.csv SECONDS '[{"setting": value}, …]'
    python -m tests.benchmarks.peers.NAME rank TRAIN.csv TEST.csv LISTS.csv '{"setting": value}'

The answer is JSON, the last line of standard output. It runs in the peer's own environment, so it imports numpy, scipy
and the standard library alone. `rank` reads nothing but the users of TEST.
"""

from __future__ import annotations

import csv
import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from tests.benchmarks import ranking

LIST_LENGTH = 20
Rows = NDArray[np.int64]
Recommend = Callable[[Rows], Sequence[Rows]]
"""(users,) rows → for each the rows of at most LIST_LENGTH unseen items, best first."""
Settings = dict[str, Any]
Fit = Callable[..., Recommend]
"""(history, **settings) → what recommends."""


@dataclass(frozen=True)
class History:
    """Who took what, oldest first (as in the file where it has no times): (events,) rows of `users` and `items`."""

    user_ids: list[str]
    item_ids: list[str]
    users: Rows
    items: Rows

    @cached_property
    def taken(self) -> sparse.csr_matrix:
        """(users, items) float32, 1 where the user took the item."""
        matrix = sparse.csr_matrix(
            (np.ones(len(self.users), dtype=np.float32), (self.users, self.items)),
            shape=(len(self.user_ids), len(self.item_ids)),
        )
        matrix.data[:] = 1
        return matrix

    def best_unseen(self, user: int, scores: NDArray[Any]) -> Rows:
        """Return the rows of the LIST_LENGTH best of (items,) `scores`, without what the user took."""
        scores = np.array(scores, dtype=np.float64)
        scores[self.taken.indices[self.taken.indptr[user] : self.taken.indptr[user + 1]]] = -np.inf
        best = np.argsort(-scores, kind="stable")[:LIST_LENGTH].astype(np.int64)
        unseen: Rows = best[np.isfinite(scores[best])]
        return unseen


def main(fit: Fit) -> None:
    """Do what the command line says."""
    what, train, test, *rest = sys.argv[1:]
    history = read_history(Path(train))
    wanted = held_out(history, Path(test))
    answer: object
    if what == "tune":
        answer = tune(fit, history, wanted, json.loads(rest[1]), seconds=float(rest[0]))
    else:
        answer = rank(fit, history, list(wanted), Path(rest[0]), json.loads(rest[1]))
    sys.stdout.write(f"{json.dumps(answer)}\n")


def tune(
    fit: Fit, history: History, wanted: dict[int, set[int]], trials: list[Settings], *, seconds: float
) -> list[float]:
    """Return the NDCG@10 of the `trials` in their order, as many as begin within `seconds`, one at least."""
    users = np.array(list(wanted), dtype=np.int64)
    found: list[float] = []
    began = time.perf_counter()
    for settings in trials:
        if found and time.perf_counter() - began > seconds:
            break
        lists = (items.tolist() for items in fit(history, **settings)(users))
        found.append(ranking.ndcg(dict(zip(wanted, lists, strict=True)), wanted, 10))
    return found


def rank(fit: Fit, history: History, users: list[int], lists: Path, settings: Settings) -> dict[str, float]:
    """Write the lists of `users`; return `seconds` of training and the peak `memory` of it all, in bytes."""
    began = time.perf_counter()
    recommend = fit(history, **settings)
    seconds = time.perf_counter() - began
    rows = np.array(users, dtype=np.int64)
    write_lists(lists, history, rows, recommend(rows))
    return {"seconds": seconds, "memory": peak_memory()}


def read_history(path: Path) -> History:
    """Return the events of a file with the header `user_id,item_id,timestamp[,value]`."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    # Stable: events without a time stay as they come.
    rows.sort(key=lambda row: float(row["timestamp"] or 0))
    user_ids, users = np.unique([row["user_id"] for row in rows], return_inverse=True)
    item_ids, items = np.unique([row["item_id"] for row in rows], return_inverse=True)
    return History(user_ids=user_ids.tolist(), item_ids=item_ids.tolist(), users=users, items=items)


def held_out(history: History, path: Path) -> dict[int, set[int]]:
    """Return user → items that he took later, as rows; -1 is an item that nobody had taken before.

    KeyError when `history` does not have the user: a split holds out a part of what each user took.
    """
    user_of = {name: row for row, name in enumerate(history.user_ids)}
    item_of = {name: row for row, name in enumerate(history.item_ids)}
    wanted: dict[int, set[int]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            wanted.setdefault(user_of[row["user_id"]], set()).add(item_of.get(row["item_id"], -1))
    return wanted


def write_lists(path: Path, history: History, users: Rows, lists: Sequence[Rows]) -> None:
    """Write `user_id,item_id,rank`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["user_id", "item_id", "rank"])
        for user, items in zip(users.tolist(), lists, strict=True):
            for rank, item in enumerate(items.tolist(), start=1):
                writer.writerow([history.user_ids[user], history.item_ids[item], rank])


def peak_memory() -> int:
    """Return the most resident memory this process has held, in bytes."""
    try:
        # Linux's ru_maxrss begins with that of the process that started this one.
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
