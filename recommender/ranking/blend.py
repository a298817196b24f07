"""Weights of a blend, found by trying: one source at a time, as long as the lists get better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recommender.arrays import BoolArray, FloatArray, RowArray
from recommender.ranking.examples import Examples

WEIGHTS = (0.0, 0.1, 0.25, 0.5, 1.0, 1.5)
ROUNDS = 2
DEPTH = 50
"""Places of each source's list that are looked at."""
REQUESTS = 800
"""Examples looked at: more change the weights little and cost in proportion."""


def search(examples: Examples, chosen: BoolArray) -> dict[str, float]:
    """Return source column → weight, best on the requests where `chosen` (users,) is True; weights of 0 are left out.

    Coordinate ascent over WEIGHTS from the best single source, on NDCG@10.
    """
    requests = np.flatnonzero(chosen)
    grid = _Grid.of(examples, requests[:: max(1, len(requests) // REQUESTS)])
    columns = range(len(examples.columns))
    alone = [grid.ndcg(grid.z[:, :, column]) for column in columns]
    first = int(np.argmax(alone))
    weights = np.zeros(len(columns))
    weights[first] = 1.0
    total, best = grid.z[:, :, first], alone[first]
    for _ in range(ROUNDS):
        before = best
        for column in np.argsort(alone)[::-1].tolist():
            without = total - grid.z[:, :, column] * np.float32(weights[column])
            for weight in WEIGHTS:
                if weight == weights[column] or (weight == 0 and not (np.delete(weights, column) > 0).any()):
                    continue
                tried = without + grid.z[:, :, column] * np.float32(weight)
                found = grid.ndcg(tried)
                if found > best:
                    best, total = found, tried
                    weights[column] = weight
        if best <= before:
            break
    return {name: float(weight) for name, weight in zip(examples.columns, weights, strict=True) if weight > 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grid:
    """Requests of different lengths as one array; what stands high in no source's list is left out."""

    z: FloatArray
    """(requests, places, columns)."""
    taken: BoolArray
    """(requests, places)."""
    empty: BoolArray
    """(requests, places) True where a request has no candidate."""
    ideal: FloatArray
    """(requests,) the best DCG@10 possible."""

    @staticmethod
    def of(examples: Examples, requests: RowArray) -> _Grid:
        """Return the grid of some requests."""
        columns = len(examples.columns)
        part, _ = subset(examples, requests)
        high = (part.features[:, columns : 2 * columns] < np.log1p(DEPTH)).any(axis=1)
        request = part.request_of[high]
        lengths = np.bincount(request, minlength=len(requests))
        place = np.arange(len(request)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        shape = (len(requests), max(int(lengths.max()), 10))
        z: FloatArray = np.zeros((*shape, columns), dtype=np.float32)
        z[request, place] = known_z(part)[high]
        taken, empty = np.zeros(shape, dtype=bool), np.ones(shape, dtype=bool)
        taken[request, place], empty[request, place] = part.taken[high], False
        ideal = np.cumsum(_DISCOUNTS)[np.minimum(part.wanted, 10) - 1]
        return _Grid(z=z, taken=taken, empty=empty, ideal=ideal)

    def ndcg(self, scores: FloatArray) -> float:
        """Return the mean NDCG@10 of (requests, places) scores."""
        negative = np.where(self.empty, np.inf, -scores)
        best = np.argpartition(negative, 9, axis=1)[:, :10]
        best = np.take_along_axis(best, np.argsort(np.take_along_axis(negative, best, 1), axis=1, kind="stable"), 1)
        return float(((np.take_along_axis(self.taken, best, 1) @ _DISCOUNTS) / self.ideal).mean())


_DISCOUNTS = (1 / np.log2(np.arange(10) + 2)).astype(np.float32)


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
    """Return (candidates, columns) z of every source; its mean, 0, of an item it does not know."""
    return np.nan_to_num(examples.features[:, : len(examples.columns)])


def subset(examples: Examples, requests: np.ndarray) -> tuple[Examples, np.ndarray]:
    """Return the examples of some requests, and (candidates,) their places in all."""
    lengths = np.diff(examples.starts)[requests]
    starts = np.concatenate(([0], np.cumsum(lengths)))
    places = np.arange(starts[-1]) - np.repeat(starts[:-1] - examples.starts[requests], lengths)
    return (
        Examples(
            starts=starts,
            rows=examples.rows[places],
            features=examples.features[places],
            columns=examples.columns,
            taken=examples.taken[places],
            wanted=examples.wanted[requests],
        ),
        places,
    )
