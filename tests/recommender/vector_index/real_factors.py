"""ALS factors of real behaviour, and the users who ask with them: MovieLens where it lies, else the demo's audience."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache

import numpy as np
from numpy.typing import NDArray

from catalog import snapshot
from interactions.simulation import simulate
from recommender.training import als
from recommender.training.dataset import Interactions, interactions
from recsite.demo.dataset import FILMS
from tests.benchmarks import films, splits

USERS = 100

Vectors = NDArray[np.float32]


@cache
def factors_and_users() -> tuple[Vectors, Vectors]:
    """Return (items, factors) item factors and (USERS, factors) folded-in users."""
    data = films.folder()
    taken = demo_taken() if data is None else movielens_taken(splits.by_time(films.ratings(data)).train)
    parameters = als.AlsParameters(iterations=5)
    factors = als.train(taken.matrix(), parameters, seed=1)
    system = factors.T @ factors + parameters.regularization * np.eye(factors.shape[1])
    # Every pair weighs 1, and alpha is 1: the confidence that is added to the system is 0.
    histories = taken.matrix()[:USERS] @ factors
    return factors, np.linalg.solve(system, histories.T).T.astype(np.float32)


def movielens_taken(ratings: splits.Ratings) -> Interactions:
    return _taken(ratings.users, ratings.items, len(ratings.user_ids), len(ratings.item_ids))


def demo_taken() -> Interactions:
    items = [json.loads(line) for line in FILMS.read_text(encoding="utf-8").splitlines()]
    for pk, item in enumerate(items):
        item |= {"id": pk, "published_at": datetime.fromisoformat(item["published_at"])}
    catalogue = snapshot.build(items, revision=0)
    people = list(simulate(catalogue, users=USERS))
    pairs = [(user, event.row) for user, person in enumerate(people) for event in person.events]
    users, rows = np.array(pairs, dtype=np.int64).T
    return _taken(users, rows, len(people), len(catalogue))


def _taken(users: NDArray[np.int64], items: NDArray[np.int64], n_users: int, n_items: int) -> Interactions:
    return interactions(
        users=users,
        items=items,
        weights=np.ones(len(users), dtype=np.float32),
        occurred_at=np.arange(len(users), dtype=np.float64),
        n_users=n_users,
        n_items=n_items,
    )
