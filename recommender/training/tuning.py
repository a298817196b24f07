"""Finds each source's parameters on a validation split of the site's own data.

Every source is scored alone, as a product of matrices over a sample of users, which costs a hundredth of asking the
pipeline; how the sources go together is learned afterwards (`ranking`). "No recency" is one of the choices: where the
order of events means nothing, a fading history loses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from scipy import sparse

from recommender import conf
from recommender.arrays import FloatArray, RowArray
from recommender.contracts import RECENCY_FLOOR
from recommender.history import longest
from recommender.training import als, item_to_item, next_items, random_walk, session
from recommender.training.dataset import Interactions
from recommender.training.dense_items import dense_items
from recommender.training.settings import Settings

HALF_LIVES: tuple[float | None, ...] = (None, 2.0, 4.0, 8.0, 16.0)
SESSION_HALF_LIVES = (1.0, 2.0, 4.0, 8.0)
STEP = 3.0
"""Factor between two values of λ that are tried."""
DENSE_ITEMS = 4_000
"""Most taken items on which λ is searched: its best value hardly depends on the rare ones, its cost does."""
NEIGHBOURS_WITHOUT_RECENCY = 1000
ALS_CHOICES = ((64, 1.0, 1.0), (64, 30.0, 3.0), (128, 30.0, 3.0), (64, 10.0, 10.0))
"""(factors, regularization, alpha)."""
ALS_ITERATIONS = 8
BETAS = (0.3, 0.6, 0.9)

K = 10

V = TypeVar("V")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Validation:
    """A sample of users: what was known of them, and what they took then."""

    past: Interactions
    users: RowArray
    seen: sparse.csr_matrix
    """(users, items) bool."""
    taken: sparse.csr_matrix
    """(users, items) bool."""

    def history(self, half_life: float | None, floor: float = RECENCY_FLOOR) -> sparse.csr_matrix:
        """Return (users, items) float32, weighed as `Query.basis_weights` does."""
        starts = self.past.user_starts()
        age = (starts[self.past.users + 1] - 1 - np.arange(len(self.past))).astype(np.float32)
        recency = 1.0 if half_life is None else 0.5 ** (age / half_life) + floor
        weights = np.where(age < longest(ordered=self.past.ordered), self.past.weights * recency, 0).astype(np.float32)
        shape = (self.past.n_users, self.past.n_items)
        return sparse.csr_matrix(
            sparse.csr_matrix((weights, (self.past.users, self.past.items)), shape=shape)[self.users]
        )

    def ndcg(self, scores: Callable[[slice], FloatArray]) -> float:
        """Return the mean NDCG@10 of scores that are given for a slice of the users as (slice, items)."""
        discounts = 1 / np.log2(np.arange(K) + 2)
        ideal = np.cumsum(discounts)
        total, block = 0.0, 250
        for start in range(0, len(self.users), block):
            span = slice(start, min(start + block, len(self.users)))
            found = scores(span)
            found[self.seen[span].toarray()] = -np.inf
            k = min(K, found.shape[1])
            best = np.argpartition(-found, k - 1, axis=1)[:, :k]
            best = np.take_along_axis(best, np.argsort(-np.take_along_axis(found, best, 1), axis=1, kind="stable"), 1)
            taken = self.taken[span].toarray()
            hits = np.take_along_axis(taken, best, 1) & (np.take_along_axis(found, best, 1) > -np.inf)
            wanted = np.minimum(taken.sum(axis=1), K)
            total += float(((hits * discounts[:k]).sum(axis=1) / ideal[wanted - 1]).sum())
        return total / len(self.users)

    def of_matrix(self, weights: sparse.csr_matrix, half_life: float | None, floor: float = RECENCY_FLOOR) -> float:
        """Return the NDCG@10 of a neighbour model."""
        history = self.history(half_life, floor)
        return self.ndcg(lambda span: np.asarray((history[span] @ weights).toarray(), dtype=np.float32))


def tune(
    past: Interactions, later: Interactions, start: Settings, seed: int, progress: Callable[[str], None]
) -> Settings:
    """Return the settings that rank `later` best after training on `past`.

    Parameters
    ----------
    past, later
        Of the same user and item rows; what is in `later` is not in `past`.
    start
        Where the search starts; a parameter that nothing beats is kept.
    """
    users = np.intersect1d(np.unique(later.users), np.unique(past.users))
    if len(users) < int(conf.get("TUNING")["minimum_users"]):
        return start
    users = _sample(users, int(conf.get("TUNING")["users"]), seed)
    validation = _Validation(past=past, users=users, seen=_taken(past, users), taken=_taken(later, users))
    half_lives = dict(start.half_lives)
    choices: tuple[float | None, ...] = HALF_LIVES if past.ordered else (None,)

    progress("tuning: item to item")
    items = dense_items(past, matrices=3, at_most=DENSE_ITEMS)
    found, half_life = _item_to_item(validation, start.item_to_item, items, choices)
    half_lives["item_to_item"] = half_life
    balanced, _ = _item_to_item(validation, start.item_to_item_balanced, items, (half_life,))
    half_lives["item_to_item_balanced"] = half_life
    settings = replace(start, item_to_item=found, item_to_item_balanced=balanced)

    progress("tuning: random walk")
    settings = replace(settings, random_walk=_random_walk(validation, start, half_life))
    half_lives["random_walk"] = half_life
    if past.ordered:
        progress("tuning: next items")
        settings = replace(settings, next_items=_next_items(validation, start, items, half_life, seed))
        half_lives["next_items"] = settings.next_items.half_life
        progress("tuning: session")
        transitions = session.train(past, start.session)
        half_lives["session"] = _best(SESSION_HALF_LIVES, lambda h: validation.of_matrix(transitions, h, 0.0))[0]
    progress("tuning: collaborative")
    parameters, half_lives["collaborative"] = _als(validation, start, choices, half_life, seed)
    half_lives["content"] = half_life
    return replace(settings, als=parameters, half_lives=half_lives)


def _item_to_item(
    validation: _Validation,
    start: item_to_item.ItemToItemParameters,
    items: RowArray,
    choices: tuple[float | None, ...],
) -> tuple[item_to_item.ItemToItemParameters, float | None]:
    together = item_to_item.gram(validation.past, items, start.user_exponent)
    n_items = validation.past.n_items
    first = item_to_item.solve(together, items, start, n_items)
    half_life, _ = _best(choices, lambda h: validation.of_matrix(first, h))

    def quality(regularization: float) -> float:
        parameters = replace(start, regularization=regularization)
        return validation.of_matrix(item_to_item.solve(together, items, parameters, n_items), half_life)

    # Where old events count like new ones, long histories add up many small weights: cutting them costs 1.4 % NDCG@10
    # on MovieLens latest-small split at random (400 kept), half as much where the history fades.
    neighbours = start.neighbours if half_life is not None else max(start.neighbours, NEIGHBOURS_WITHOUT_RECENCY)
    return replace(start, regularization=_climb(start.regularization, quality), neighbours=neighbours), half_life


def _next_items(
    validation: _Validation, start: Settings, items: RowArray, half_life: float | None, seed: int
) -> next_items.NextItemsParameters:
    parameters = start.next_items if half_life is None else replace(start.next_items, half_life=half_life)
    normal = next_items.equations(validation.past, parameters, seed, items)

    def quality(regularization: float) -> float:
        weights = next_items.solve(normal, regularization, parameters.neighbours)
        return validation.of_matrix(weights, parameters.half_life)

    return replace(parameters, regularization=_climb(parameters.regularization, quality))


def _random_walk(validation: _Validation, start: Settings, half_life: float | None) -> random_walk.RandomWalkParameters:
    matrix = validation.past.matrix()

    def quality(beta: float) -> float:
        return validation.of_matrix(random_walk.train(matrix, replace(start.random_walk, beta=beta)), half_life)

    return replace(start.random_walk, beta=_best(BETAS, quality)[0])


def _als(
    validation: _Validation,
    start: Settings,
    choices: tuple[float | None, ...],
    half_life: float | None,
    seed: int,
) -> tuple[als.AlsParameters, float | None]:
    matrix = validation.past.matrix()
    best, best_quality, best_factors = start.als, -1.0, None
    for factors, regularization, alpha in ALS_CHOICES:
        tried = replace(
            start.als, factors=factors, regularization=regularization, alpha=alpha, iterations=ALS_ITERATIONS
        )
        vectors = als.train(matrix, tried, seed)
        quality = _folded_in(validation, vectors, tried, half_life)
        if quality > best_quality:
            best, best_quality, best_factors = replace(tried, iterations=start.als.iterations), quality, vectors
    assert best_factors is not None  # noqa: S101 -- every quality is at least 0
    return best, _best(choices, lambda h: _folded_in(validation, best_factors, best, h))[0]


def _folded_in(
    validation: _Validation, factors: FloatArray, parameters: als.AlsParameters, half_life: float | None
) -> float:
    """Return the NDCG@10 of users folded in as `sources.collaborative` does."""
    history = validation.history(half_life)
    gram = factors.T.astype(np.float64) @ factors.astype(np.float64)
    gram[np.diag_indices_from(gram)] += parameters.regularization
    vectors = np.zeros((history.shape[0], factors.shape[1]), dtype=np.float32)
    for user in range(history.shape[0]):
        entries = slice(history.indptr[user], history.indptr[user + 1])
        mine = factors[history.indices[entries]].astype(np.float64)
        confidence = parameters.alpha * history.data[entries].astype(np.float64)
        system = gram + (mine.T * np.maximum(confidence - 1.0, 0.0)) @ mine
        vectors[user] = np.linalg.solve(system, mine.T @ confidence)
    return validation.ndcg(lambda span: vectors[span] @ factors.T)


def _best(values: Iterable[V], quality: Callable[[V], float]) -> tuple[V, float]:
    """Return the value of the highest quality, the first of equals, and its quality."""
    measured = [(value, quality(value)) for value in values]
    return max(measured, key=lambda pair: pair[1])


def _climb(start: float, quality: Callable[[float], float], steps: int = 3) -> float:
    """Return the best of `start` and its neighbours by factors of STEP, going on while it gets better."""
    best, best_quality = start, quality(start)
    for factor in (STEP, 1 / STEP):
        tried = start * factor
        for _ in range(steps):
            found = quality(tried)
            if found <= best_quality:
                break
            best, best_quality, tried = tried, found, tried * factor
        if best != start:
            break
    return best


def _taken(data: Interactions, users: RowArray) -> sparse.csr_matrix:
    return sparse.csr_matrix(data.matrix()[users].astype(np.bool_))


def _sample(users: RowArray, n: int, seed: int) -> RowArray:
    if len(users) <= n:
        return users
    return np.sort(np.random.default_rng(seed).choice(users, n, replace=False))
