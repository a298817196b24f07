"""Which items of a history deserve a row "because you watched …"."""

from __future__ import annotations

import numpy as np

from catalog.snapshot import Catalogue
from recommender.contracts import History
from recommender.pipeline.model_view import ModelView

LEAST_WEIGHT = 0.5
"""Of an event that says the item was really taken and liked, not merely looked at."""

RECENT_ITEMS = 30
HALF_LIFE = 8.0
"""In items: a seed of last week beats one of last year, unless hardly anybody knows it."""


def choose_seeds(history: History, catalogue: Catalogue, model: ModelView | None, n: int) -> list[int]:
    """Return at most `n` rows, best first, of distinct categories as far as the history has them.

    A seed must have been taken (not merely viewed, or named as a taste) and be known to the model. Among the
    RECENT_ITEMS newest, the best has the highest 0.5^(items ago / HALF_LIFE) · log(1 + popularity): recent, and with
    enough people behind it that its row is good.
    """
    if model is None:
        return []
    known = (history.weights >= LEAST_WEIGHT) & (model.row_in_model[history.rows] >= 0)
    taken = np.flatnonzero(known[: len(known) - history.named])[:RECENT_ITEMS]
    rows = history.rows[taken]
    popularity = model.array("popularity")[model.row_in_model[rows]]
    strength = 0.5 ** (np.arange(len(rows)) / HALF_LIFE) * np.log1p(popularity)
    ranked = rows[np.argsort(-strength, kind="stable")].tolist()
    categories: set[int] = set()
    distinct = []
    for row in ranked:
        category = int(catalogue.category_codes[row])
        if category not in categories:
            categories.add(category)
            distinct.append(row)
    return (distinct + [row for row in ranked if row not in distinct])[:n]
