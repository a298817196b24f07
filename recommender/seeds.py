"""Which items of a history deserve a row "because you watched …"."""

from __future__ import annotations

from collections.abc import Iterator

from catalog.snapshot import Catalogue
from recommender.contracts import History
from recommender.pipeline.model_view import ModelView

LEAST_WEIGHT = 0.5
"""Of an event that says the item was really taken, not merely looked at."""


def choose_seeds(history: History, catalogue: Catalogue, model: ModelView | None, n: int) -> Iterator[int]:
    """Yield at most `n` rows, newest first, of distinct categories as far as the history has them.

    An item must have been taken (not merely viewed) and be known to the model, so that its row can be filled.
    """
    if model is None:
        return
    taken = [
        int(row)
        for row, weight in zip(history.rows, history.weights, strict=True)
        if weight >= LEAST_WEIGHT and model.row_in_model[row] >= 0
    ]
    categories: set[int] = set()
    distinct = []
    for row in taken:
        if int(catalogue.category_codes[row]) not in categories:
            categories.add(int(catalogue.category_codes[row]))
            distinct.append(row)
    rest = [row for row in taken if row not in distinct]
    yield from (distinct + rest)[:n]
