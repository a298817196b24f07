"""Which categories deserve a row of their own on somebody's page."""

from __future__ import annotations

import numpy as np

from catalog.snapshot import Catalogue
from interactions.preferences import Preferences
from recommender.contracts import RECENCY_FLOOR, History, recency

HALF_LIFE = 12.0
"""In items: what he took some weeks ago still says which shelves he goes to."""
STATED = 1.0
"""What a category counts that he named, in items of today."""


def favourite_categories(history: History, stated: Preferences, catalogue: Catalogue, n: int) -> list[str]:
    """Return at most `n` categories, best first; those of what most people take for somebody of whom nothing is known.

    A category's score is the sum of its items' event weights, each times 0.5^(items ago / HALF_LIFE) + RECENCY_FLOOR,
    and STATED when he has named it. Items without a category count for none.
    """
    names = catalogue.categories
    codes = catalogue.category_codes[history.rows]
    weights = history.weights * recency(len(codes), HALF_LIFE, RECENCY_FLOOR)
    taken = np.bincount(codes[codes >= 0], weights=weights[codes >= 0], minlength=len(names))
    scores = taken + STATED * np.array([name.casefold() in stated.categories for name in names], dtype=np.float64)
    if not scores.any():
        named = catalogue.category_codes >= 0
        codes, weights = catalogue.category_codes[named], catalogue.popularity[named]
        scores = np.bincount(codes, weights=weights, minlength=len(names)).astype(np.float64)
    order = np.argsort(-scores, kind="stable").tolist()
    return [names[code] for code in order if scores[code] > 0 and names[code]][:n]
