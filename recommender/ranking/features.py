"""What the learned ranker knows of a candidate: the same function in training and in serving.

Every source's columns, standardised and ranked among this request's candidates (so that a source's unit, and how well
it knows the user, cancel out), and what the sources do not say: popularity then and lately, year, category.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.arrays import BoolArray, FloatArray, RowArray
from recommender.contracts import Candidates, Query

SECONDS_A_YEAR = 365.25 * 86_400
RECENT = 10
"""History items that say which years and categories the user is at now."""
WINDOWS = (1 / 64, 1 / 16, 1 / 4)
"""Shares of all events, the newest ones at the moment of the request."""

CONTEXT = (
    "popularity",
    *(f"popularity.lately_{round(1 / window)}" for window in WINDOWS),
    "popularity.trend",
    "history.length",
    "year",
    "year.gap",
    "year.distance",
    "category.affinity",
    "candidates",
)


def names(columns: Sequence[str]) -> list[str]:
    """Return the names of the features made of these source columns, in order."""
    return [*(f"{column}.z" for column in columns), *(f"{column}.rank" for column in columns), *CONTEXT]


def features(query: Query, candidates: Candidates, columns: Sequence[str]) -> FloatArray:
    """Return (candidates, features) float32, in the order of `names(columns)`; nan where something is not known.

    Parameters
    ----------
    columns
        The source columns the ranker was trained with. One that this request does not have counts as unknown.
    """
    compared = Compared.of([candidates], columns)
    return compared.features(0, query, Items.of(query, candidates.rows), np.arange(len(candidates)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """What is known of a request's candidates, whatever their sources and the history say."""

    popularity: FloatArray
    """(2 + windows, n) log(1 + events): of all time, in each of `WINDOWS` before the request, and the trend."""
    year: FloatArray
    """(n,) nan where not known."""
    category: NDArray[np.int32]
    """(n,) code."""

    @classmethod
    def of(cls, query: Query, rows: RowArray) -> Items:
        """Return it of the items `rows`."""
        catalogue = query.catalogue
        return cls(
            popularity=_popularity(query, rows),
            year=_years(query, rows),
            category=catalogue.category_codes[rows],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Candidates as source columns compare them; r requests, c columns, n candidates."""

    scores: FloatArray
    """(r, c, n) float32, as the sources gave them."""
    mean: FloatArray
    """(r, c, 1) of what each source knows."""
    spread: FloatArray
    """(r, c, 1) standard deviation of it."""
    z: FloatArray
    """(r, c, n) float32, standardised; nan where a source does not know the item."""

    @classmethod
    def of(cls, requests: Sequence[Candidates], columns: Sequence[str]) -> Compared:
        """Return how these columns compare the candidates of requests with as many candidates each.

        A column that is not there knows none.
        """
        n = len(requests[0])
        missing = np.full(n, np.nan, dtype=np.float32)
        known = [candidates.source_scores.get(name, missing) for candidates in requests for name in columns]
        scores = np.array(known, dtype=np.float32).reshape(len(requests), len(columns), n)
        finite = np.isfinite(scores)
        count = np.maximum(finite.sum(axis=-1, keepdims=True), 1)
        mean = np.where(finite, scores, 0).sum(axis=-1, keepdims=True) / count
        deviation = np.where(finite, scores - mean, 0)
        spread = np.sqrt((deviation**2).sum(axis=-1, keepdims=True) / count)
        z = np.where(finite, deviation / np.where(spread > 0, spread, 1), np.nan).astype(np.float32)
        return cls(scores=scores, mean=mean.astype(np.float32), spread=spread.astype(np.float32), z=z)

    def known_z(self, newer: BoolArray) -> FloatArray:
        """Return (r, c, n) float32 z; of an item that a source does not know its lowest, or its mean where `newer` (n,)
        says that the item is newer than the model: as `WeightedBlend` has it."""
        unknown = np.isnan(self.z)
        if not unknown.any():
            return self.z
        lowest = np.fmin.reduce(self.z, axis=-1, keepdims=True)
        return np.nan_to_num(np.where(unknown, np.where(newer, np.float32(0), lowest), self.z))

    def features(self, request: int, query: Query, items: Items, places: RowArray) -> FloatArray:
        """Return (places, features) float32 of the candidates of one request at these places."""
        context = _context(query, items, places, self.z.shape[2])
        log_rank = _log_rank(self.scores[request])
        return np.concatenate([self.z[request][:, places], log_rank[:, places], context]).T.astype(np.float32)


def _log_rank(scores: FloatArray) -> FloatArray:
    """Return log(1 + place from 0) by row, best first, unknown ones last, equals in the order they stand in."""
    n = scores.shape[1]
    # Sorted as whole numbers, the place below the bits of the score: a third of a stable argsort of floats, and the
    # same order. Adding 0 makes one zero of two.
    bits = (np.where(np.isfinite(scores), -scores, np.inf).astype(np.float32) + np.float32(0)).view(np.int32)
    ascending = np.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits)
    order = np.sort((ascending.astype(np.int64) << 32) | np.arange(n), axis=1) & 0xFFFFFFFF
    ranks = np.empty(scores.shape, dtype=np.float32)
    np.put_along_axis(ranks, order, np.log1p(np.arange(n, dtype=np.float32))[None, :], axis=1)
    return ranks


def _context(query: Query, items: Items, places: RowArray, n: int) -> FloatArray:
    recent = query.history.rows[:RECENT]
    year, recent_years = items.year[places], _years(query, recent)
    recent_years = recent_years[np.isfinite(recent_years)]
    gap = year - (recent_years.mean() if len(recent_years) else np.float32(np.nan))
    weight = np.zeros(len(query.catalogue.categories), dtype=np.float32)
    codes = query.catalogue.category_codes[query.history.rows]
    np.add.at(weight, codes, query.basis_weights(RECENT) if query.seed is None else 1.0)
    affinity = weight / max(float(weight.sum()), 1e-9)
    return np.stack(
        [
            *items.popularity[:, places],
            np.full(len(places), np.log1p(len(query.history.rows)), dtype=np.float32),
            year,
            gap,
            np.abs(gap),
            affinity[items.category[places]],
            np.full(len(places), np.log1p(n), dtype=np.float32),
        ]
    )


def _years(query: Query, rows: RowArray) -> FloatArray:
    return np.asarray(query.catalogue.published_at[rows] / SECONDS_A_YEAR, dtype=np.float32)


def _popularity(query: Query, rows: RowArray) -> FloatArray:
    """Return (2 + windows, n), see `Items.popularity`."""
    view = query.model
    unknown = np.full((len(WINDOWS) + 2, len(rows)), np.nan, dtype=np.float32)
    if view is None or "popularity_over_time.counts" not in view.bundle.arrays:
        return unknown
    counts, moments = view.array("popularity_over_time.counts"), view.array("popularity_over_time.moments")
    model_rows, known = view.known(rows)
    asked_at = query.now if query.asked_at is None else query.asked_at
    end = int(np.searchsorted(moments, asked_at, side="right")) + 1
    until = counts[end][model_rows]
    total = np.log1p(counts[-1][model_rows])
    windows = [np.log1p(until - counts[max(end - max(round(w * len(counts)), 1), 0)][model_rows]) for w in WINDOWS]
    trend = windows[0] - np.log1p(until)
    return np.where(known, np.stack([total, *windows, trend]), np.float32(np.nan))
