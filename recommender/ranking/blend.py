"""Weights of a blend: those that make what was taken afterwards most likely."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from recommender.arrays import BoolArray, FloatArray
from recommender.ranking.examples import Examples

DEPTH = 50
"""Places of each source's list that are looked at."""
RIDGE = 30.0
"""λ of Σ weight². On MovieLens split at random, 1 and 30 differ by less than 0.3 % NDCG@10."""
DECIMALS = 3


def fit(examples: Examples, chosen: BoolArray) -> dict[str, float]:
    """Return source column → weight, Σ |weight| = 1, of the requests where `chosen` (users,) is True; no zeros.

    Every item taken is a choice among the request's candidates, with the probability softmax(Σ weight · z): the
    conditional logit of McFadden, "Conditional Logit Analysis of Qualitative Choice Behavior", 1974. Each request
    counts alike, however much was taken. The likelihood is concave, so there is one answer; hill climbing on NDCG@10
    followed the noise of its few hits. A weight may be negative: popularity's often is, where the other sources say
    too much of it. Where nothing was learned, the best single source weighs 1.
    """
    z, taken, starts = _choices(examples, chosen)
    lengths = np.diff(np.append(starts, len(z)))
    request = np.repeat(np.arange(len(starts)), lengths)
    share = taken / np.maximum(np.bincount(request, taken, minlength=len(starts)), 1)[request]

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = z @ weights
        scores -= np.maximum.reduceat(scores, starts)[request]
        odds = np.exp(scores)
        total = np.add.reduceat(odds, starts)
        likelihood = share @ scores - np.log(total).sum()
        gradient = z.T @ (share - odds / total[request])
        return RIDGE * float(weights @ weights) - float(likelihood), 2 * RIDGE * weights - gradient

    columns = examples.columns
    found = np.zeros(len(columns))
    if len(starts):
        found = minimize(loss, found, jac=True, method="L-BFGS-B").x
    size = np.abs(found).sum()
    weights = np.round(found / size, DECIMALS) if size > 0 else found
    if not weights.any():
        alone = [examples.ndcg(column)[chosen].mean() for column in known_z(examples).T]
        weights[int(np.argmax(alone))] = 1.0
    return {name: float(weight) for name, weight in zip(columns, weights, strict=True) if weight != 0}


def _choices(
    examples: Examples, chosen: BoolArray
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return (n, columns) z and (n,) taken as 0 or 1 of the candidates that stand high in any source's list, and where
    each request starts; requests of which nothing was taken there say nothing."""
    columns = len(examples.columns)
    high = (examples.features[:, columns : 2 * columns] < np.log1p(DEPTH)).any(axis=1)
    request = examples.request_of
    told = np.bincount(request[high & examples.taken], minlength=len(examples)) > 0
    looked_at = high & (chosen & told)[request]
    starts = np.flatnonzero(np.diff(request[looked_at], prepend=-1))
    return known_z(examples)[looked_at].astype(np.float64), examples.taken[looked_at].astype(np.float64), starts


def score(examples: Examples, weights: Mapping[str, float]) -> FloatArray:
    """Return (candidates,) Σ weight · z, brought to mean 0 and deviation 1 by request."""
    total = of_z(known_z(examples), examples.columns, weights)
    lengths = np.maximum(np.diff(examples.starts), 1)
    request = examples.request_of
    mean = np.bincount(request, total, minlength=len(examples)) / lengths
    deviation = total - mean[request]
    spread = np.sqrt(np.bincount(request, deviation**2, minlength=len(examples)) / lengths)
    return np.asarray(deviation / np.where(spread > 0, spread, 1)[request], dtype=np.float32)


def of_z(z: FloatArray, columns: Sequence[str], weights: Mapping[str, float]) -> FloatArray:
    """Return (candidates,) Σ weight · z of (candidates, columns)."""
    return np.asarray(z @ np.array([weights.get(name, 0.0) for name in columns], dtype=np.float32))


def known_z(examples: Examples) -> FloatArray:
    """Return (candidates, columns) z of every source; its lowest of the request for an item it does not know.

    So does `WeightedBlend` for every item that the model has, as it has all of these.
    """
    z = examples.features[:, : len(examples.columns)]
    lengths = np.diff(examples.starts)
    lowest = np.fmin.reduceat(z, examples.starts[:-1][lengths > 0], axis=0) if len(z) else z
    return np.nan_to_num(np.where(np.isnan(z), np.repeat(lowest, lengths[lengths > 0], axis=0), z))
