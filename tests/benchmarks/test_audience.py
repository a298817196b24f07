from __future__ import annotations

import numpy as np

from tests.benchmarks import audience


def test_as_many_users_and_items_as_events_ask_for() -> None:
    taken = audience.generate(40_000)
    assert (taken.n_users, taken.n_items) == (1_000, 200)
    assert (taken.users.min(), taken.users.max()) == (0, 999)
    assert taken.items.min() >= 0
    assert taken.items.max() < 200
    assert len(taken.users) == len(taken.items)
    # Everybody takes five at least, which adds a few; shares of an event are dropped.
    assert 39_000 < len(taken.users) < 45_000
    assert np.bincount(taken.users).min() >= 5


def test_the_same_events_every_time() -> None:
    first, second = audience.generate(20_000), audience.generate(20_000)
    assert np.array_equal(first.users, second.users)
    assert np.array_equal(first.items, second.items)


def test_few_items_have_most_of_the_events() -> None:
    counts = np.sort(np.bincount(audience.generate(200_000).items))[::-1]
    assert counts[:100].sum() > 0.3 * counts.sum()
    assert counts[-100:].sum() < 0.05 * counts.sum()
