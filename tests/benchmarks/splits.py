"""What users took, and the last fifth of it held out: by time, or at random where the order must say nothing."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HELD_OUT = 0.2
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """Who rated what, as (n,) rows of `users` and `items`."""

    user_ids: list[str]
    item_ids: list[str]
    users: Rows
    items: Rows
    timestamps: Rows | None
    """Seconds since 1970; None when nothing is known of time."""

    @classmethod
    def of(cls, table: Rows) -> Ratings:
        """Number the users and items of a table, (n, 3) int64: a user's id, an item's, seconds since 1970."""
        user_names, users = np.unique(table[:, 0], return_inverse=True)
        item_names, items = np.unique(table[:, 1], return_inverse=True)
        return cls(
            user_ids=[str(name) for name in user_names],
            item_ids=[str(name) for name in item_names],
            users=users,
            items=items,
            timestamps=table[:, 2],
        )

    def at(self, chosen: Rows | NDArray[np.bool_]) -> Ratings:
        """Return the chosen ones, in the chosen order; the ids stay."""
        times = None if self.timestamps is None else self.timestamps[chosen]
        return replace(self, users=self.users[chosen], items=self.items[chosen], timestamps=times)

    def write(self, path: Path) -> None:
        """Write `user_id,item_id,timestamp`, the last empty when it is not known."""
        times = [""] * len(self.users) if self.timestamps is None else self.timestamps.tolist()
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["user_id", "item_id", "timestamp"])
            for user, item, at in zip(self.users.tolist(), self.items.tolist(), times, strict=True):
                writer.writerow([self.user_ids[user], self.item_ids[item], at])


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """What is trained on, and what is to be foretold."""

    train: Ratings
    test: Ratings

    def held_out(self) -> dict[int, set[int]]:
        """Return user → the items of his that are held out."""
        wanted: dict[int, set[int]] = {}
        for user, item in zip(self.test.users.tolist(), self.test.items.tolist(), strict=True):
            wanted.setdefault(user, set()).add(item)
        return wanted


def by_time(ratings: Ratings) -> Split:
    """Hold out the newest ⌊20 %⌋ of each user's (equal times: by item); ValueError without times."""
    if ratings.timestamps is None:
        raise ValueError("These ratings have no times to split them by.")
    return _split(ratings.at(np.lexsort((ratings.items, ratings.timestamps, ratings.users))))


def at_random(ratings: Ratings, seed: int) -> Split:
    """Hold out ⌊20 %⌋ of each user's, and forget all times; what remains of a user is in no order."""
    drawn = np.random.default_rng(seed).random(len(ratings.users))
    return _split(replace(ratings.at(np.lexsort((drawn, ratings.users))), timestamps=None))


def again(ratings: Ratings, seed: int) -> Split:
    """Split a train side as it was split off itself, to tune on."""
    return at_random(ratings, seed) if ratings.timestamps is None else by_time(ratings)


def _split(ordered: Ratings) -> Split:
    """Hold out the last of each user; `ordered` has the users one after the other."""
    counts = np.bincount(ordered.users, minlength=len(ordered.user_ids))
    position = np.arange(len(ordered.users)) - np.repeat(np.cumsum(counts) - counts, counts)
    kept = counts - np.floor(HELD_OUT * counts).astype(np.int64)
    later = position >= kept[ordered.users]
    return Split(train=ordered.at(~later), test=ordered.at(later))
