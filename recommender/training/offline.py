"""`manage.py evaluate`: trains on one file, ranks for the users of another, as serving would. No database."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog import snapshot
from catalog.snapshot import Catalogue
from recommender.arrays import RowArray
from recommender.exceptions import DataError
from recommender.ranking.wording import sentence
from recommender.training import csv_files, trial
from recommender.training.dataset import Interactions, interactions
from recommender.training.evaluation import LIST_LENGTH, Evaluation, evaluate
from recommender.training.fitting import fit
from recommender.training.split import Way

MISPLACED = 0.05
"""Share of the test's events that may lie before their user's last training event in a split by time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offline:
    """An evaluation with the ids it is about."""

    evaluation: Evaluation
    user_ids: list[str]
    """Users of the test file, in the order of `evaluation.lists`."""
    catalogue: Catalogue
    ranking: str
    """Which ranking was chosen, in a sentence."""

    def write_lists(self, path: Path) -> None:
        """Write `user_id,item_id,rank` (rank from 1, at most LIST_LENGTH a user)."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["user_id", "item_id", "rank"])
            for user_id, rows in zip(self.user_ids, self.evaluation.lists, strict=True):
                for rank, row in enumerate(rows[:LIST_LENGTH], start=1):
                    writer.writerow([user_id, self.catalogue.cards[row].item_id, rank])


def run(
    train_path: Path,
    test_path: Path,
    items_path: Path | None,
    *,
    k: int,
    stage: Callable[[str], None] = lambda name: None,
    user_done: Callable[[int], None] = lambda total: None,
) -> Offline:
    """Train on `train_path` and measure on `test_path`.

    Parameters
    ----------
    items_path
        Titles, categories and tags; its items can be recommended even when nobody in the train file took them.
    stage, user_done
        Progress: the name of each stage, and the number of users after each user.

    Raises
    ------
    DataError
        When a file cannot be read, or there is nothing to train on or to measure.
    """
    stage("reading")
    rows = csv_files.read_interactions(train_path)
    tests = csv_files.read_interactions(test_path)
    if not rows or not tests:
        empty = train_path if not rows else test_path
        raise DataError(f"{empty.name}: there are no interactions in it.")
    catalogue, train_items = _catalogue(rows, items_path)
    data, row_of_user = _interactions(rows, catalogue)
    held_out: dict[str, set[int]] = {}
    for line, test in enumerate(tests):
        # An item that nobody could have ranked still counts as missed: each gets a row of its own that never matches.
        held_out.setdefault(test.user_id, set()).add(catalogue.row_of.get(test.item_id, -1 - line))
    user_ids = list(held_out)
    fitted = fit(data, catalogue, way=_way(data, row_of_user, tests), progress=stage)
    stage("ranking")
    with trial.opened(fitted.trained) as bundle:
        evaluation = evaluate(
            bundle,
            catalogue,
            data,
            [np.array(sorted(held_out[user]), dtype=np.int64) for user in user_ids],
            [row_of_user.get(user, data.n_users) for user in user_ids],
            k=k,
            catalogue_size=train_items,
            progress=lambda: user_done(len(user_ids)),
        )
    ranking = sentence(fitted.trained.meta)
    return Offline(evaluation=evaluation, user_ids=user_ids, catalogue=catalogue, ranking=ranking)


def _catalogue(rows: list[csv_files.Row], items_path: Path | None) -> tuple[Catalogue, int]:
    """Return the catalogue of both files, and how many of its items the train file has."""
    described = csv_files.read_items(items_path) if items_path else []
    ids = list(dict.fromkeys([*(card.item_id for card, _ in described), *(row.item_id for row in rows)]))
    by_id = {card.item_id: (card, published) for card, published in described}
    records = []
    for pk, item_id in enumerate(ids):
        card, published = by_id.get(item_id, (None, None))
        records.append(
            {
                "id": pk,
                "item_id": item_id,
                "title": card.title if card else item_id,
                "description": card.description if card else "",
                "category": card.category if card else "",
                "tags": card.tags if card else (),
                "creators": card.creators if card else (),
                "published_at": published,
            }
        )
    return snapshot.build(records, revision=0), len({row.item_id for row in rows})


def _interactions(rows: list[csv_files.Row], catalogue: Catalogue) -> tuple[Interactions, dict[str, int]]:
    row_of_user: dict[str, int] = {}
    # Asked for every line; the catalogue's own finds one at a time without holding them all.
    row_of_item = {card.item_id: row for row, card in enumerate(catalogue.cards)}
    users: RowArray = np.array([row_of_user.setdefault(row.user_id, len(row_of_user)) for row in rows], dtype=np.int64)
    occurred_at, ordered = _in_order(np.array([row.occurred_at for row in rows]))
    data = interactions(
        users=users,
        items=np.array([row_of_item[row.item_id] for row in rows], dtype=np.int64),
        weights=np.ones(len(rows), dtype=np.float32),
        occurred_at=occurred_at,
        n_users=len(row_of_user),
        n_items=len(catalogue),
    )
    return replace(data, ordered=ordered), row_of_user


def _in_order(times: NDArray[np.float64]) -> tuple[NDArray[np.float64], bool]:
    """Return times without gaps, and whether they tell an order; what has none counts as the oldest, in file order."""
    timed = np.isfinite(times)
    ordered = bool(timed.mean() > 0.5 and len(np.unique(times[timed])) > 1)
    if timed.all():
        return times, ordered
    oldest = times[timed].min() if timed.any() else 0.0
    filled = times.copy()
    filled[~timed] = oldest - 1 - np.arange(np.count_nonzero(~timed))[::-1]
    return filled, ordered


def _way(data: Interactions, row_of_user: dict[str, int], tests: list[csv_files.Row]) -> Way:
    """Return how the test was drawn, as far as its times and numbers tell: the validation is drawn the same way."""
    known = [(row_of_user[test.user_id], test.occurred_at) for test in tests if test.user_id in row_of_user]
    if not known or not data.ordered:
        return "random"
    users, moments = np.array([user for user, _ in known]), np.array([moment for _, moment in known])
    last = np.full(data.n_users, -np.inf)
    np.maximum.at(last, data.users, data.occurred_at)
    if not np.isfinite(moments).all() or np.mean(moments < last[users]) > MISPLACED:
        return "random"
    counts = np.bincount(users)
    return "leave-one-out" if counts.max() == 1 and len(known) > 1 else "time"
