"""What the learned ranker knows of a candidate: the same function in training and in serving.

Every source's columns, standardised and ranked among this request's candidates (so that a source's unit, and how well
it knows the user, cancel out), and what the sources do not say: popularity then and lately, year, category.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recommender.arrays import FloatArray
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
    n = len(candidates)
    missing = np.full(n, np.nan, dtype=np.float32)
    known = [candidates.source_scores.get(name, missing) for name in columns]
    scores = np.array(known, dtype=np.float32).reshape(len(columns), n)
    return np.concatenate([_standardised(scores), _log_rank(scores), _context(query, candidates)]).T.astype(np.float32)


def _standardised(scores: FloatArray) -> FloatArray:
    """Return z by row over its finite values; 0 for a row without spread."""
    known = np.isfinite(scores)
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    filled = np.where(known, scores, 0)
    deviation = np.where(known, scores - filled.sum(axis=1, keepdims=True) / count, 0)
    spread = np.sqrt((deviation**2).sum(axis=1, keepdims=True) / count)
    z = deviation / np.where(spread > 0, spread, 1)
    return np.where(known, z, np.nan).astype(np.float32)


def _log_rank(scores: FloatArray) -> FloatArray:
    """Return log(1 + place from 0) by row, best first, unknown ones last."""
    order = np.argsort(np.where(np.isfinite(scores), -scores, np.inf), axis=1, kind="stable")
    places = np.log1p(np.arange(scores.shape[1], dtype=np.float32))
    ranks = np.empty(scores.shape, dtype=np.float32)
    np.put_along_axis(ranks, order, np.broadcast_to(places, scores.shape), axis=1)
    return ranks


def _context(query: Query, candidates: Candidates) -> FloatArray:
    rows, n = candidates.rows, len(candidates)
    recent = query.history.rows[:RECENT]
    lately = _popularity(query, candidates)
    years = (query.catalogue.published_at / SECONDS_A_YEAR).astype(np.float32)
    year, recent_years = years[rows], years[recent]
    recent_years = recent_years[np.isfinite(recent_years)]
    gap = year - (recent_years.mean() if len(recent_years) else np.float32(np.nan))
    codes = query.catalogue.category_codes
    weight = np.zeros(len(query.catalogue.categories), dtype=np.float32)
    np.add.at(weight, codes[query.history.rows], query.basis_weights(RECENT) if query.seed is None else 1.0)
    affinity = weight / max(float(weight.sum()), 1e-9)
    return np.stack(
        [
            *lately,
            np.full(n, np.log1p(len(query.history.rows)), dtype=np.float32),
            year,
            gap,
            np.abs(gap),
            affinity[codes[rows]],
            np.full(n, np.log1p(n), dtype=np.float32),
        ]
    )


def _popularity(query: Query, candidates: Candidates) -> list[FloatArray]:
    """Return log(1 + events): of all time, and in each of `WINDOWS` before the moment of the request; and the trend."""
    view = query.model
    unknown = np.full(len(candidates), np.nan, dtype=np.float32)
    if view is None or "popularity_over_time.counts" not in view.bundle.arrays:
        return [unknown] * (len(WINDOWS) + 2)
    counts, moments = view.array("popularity_over_time.counts"), view.array("popularity_over_time.moments")
    rows, known = view.known(candidates.rows)
    asked_at = query.now if query.asked_at is None else query.asked_at
    end = int(np.searchsorted(moments, asked_at, side="right")) + 1
    until = counts[end][rows]
    total = np.log1p(counts[-1][rows])
    windows = [np.log1p(until - counts[max(end - max(round(w * len(counts)), 1), 0)][rows]) for w in WINDOWS]
    trend = windows[0] - np.log1p(until)
    return [np.where(known, values, np.float32(np.nan)) for values in (total, *windows, trend)]
