"""Events of a simulated audience, as many as wanted, the same ones every time.

Items belong to groups of about 200 (at least 50 groups), whose sizes fall as rank^-0.5, and are popular as a shifted
power law, (rank + 20)^-0.8. A user keeps to four groups with shares of 0.5, 0.25, 0.15 and 0.1, and takes one item in
seven from anywhere; how much he takes is log-normal (sigma 1.1), five at least. Moments are even over sixty days.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EVENTS_OF_USER = 40
EVENTS_OF_ITEM = 200
DAYS = 60
_SHARES = (0.5, 0.25, 0.15, 0.1)
_ANYWHERE = 0.15
_LEAST = 5


@dataclass(frozen=True, slots=True)
class Audience:
    """Who took what, in the order of time."""

    users: NDArray[np.int64]
    """(events,) 0..n_users - 1."""
    items: NDArray[np.int64]
    """(events,) 0..n_items - 1."""
    n_users: int
    n_items: int


def generate(events: int) -> Audience:
    """Return about `events` events of a fortieth as many users with a two-hundredth as many items."""
    rng = np.random.default_rng(events)
    n_users, n_items = events // EVENTS_OF_USER, events // EVENTS_OF_ITEM
    groups = max(50, n_items // 200)
    sizes = np.arange(1, groups + 1) ** -0.5
    sizes /= sizes.sum()
    by_group = np.argsort(rng.choice(groups, size=n_items, p=sizes), kind="stable")
    starts = np.round(np.concatenate(([0], np.cumsum(sizes))) * n_items).astype(np.int64)
    popularity = (rng.permutation(n_items) + 20.0) ** -0.8
    reached = np.concatenate(([0], np.cumsum(popularity[by_group])))

    activity = rng.lognormal(0, 1.1, size=n_users)
    taken = np.maximum(_LEAST, (activity / activity.sum() * events).astype(np.int64))
    users = rng.permutation(np.repeat(np.arange(n_users), taken))
    favourites = rng.choice(groups, size=(n_users, len(_SHARES)), p=sizes)
    slot = np.minimum(np.searchsorted(np.cumsum(_SHARES), rng.random(len(users))), len(_SHARES) - 1)
    group = favourites[users, slot]
    low, high = reached[starts[group]], reached[starts[group + 1]]
    anywhere = rng.random(len(users)) < _ANYWHERE
    low[anywhere], high[anywhere] = 0, reached[-1]
    place = np.searchsorted(reached, low + rng.random(len(users)) * (high - low), side="right") - 1
    return Audience(users, by_group[np.clip(place, 0, n_items - 1)], n_users, n_items)
