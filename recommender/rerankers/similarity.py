"""What makes two candidates alike: unit vectors whose inner product says how much; and the base that is told which."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from recommender.arrays import FloatArray, RowArray
from recommender.contracts import Query
from recommender.rerankers.diversity import Diversity
from recommender.rerankers.strength import Strength
from recommender.vector_index.base import unit_rows

Similarity = Literal["collaborative", "content", "category"]
"""By the same people's taste, by what they say about themselves, or by category (alike or not)."""


class BySimilarity(Diversity):
    """Base of the re-rankers that look at how alike candidates are.

    Parameters
    ----------
    strength, pool
        See `Diversity`.
    by
        What makes items alike.
    """

    def __init__(self, strength: Strength = 0.1, pool: int = 200, by: Similarity = "collaborative") -> None:
        super().__init__(strength, pool)
        if by not in get_args(Similarity):
            raise ValueError(f"by must be one of {', '.join(get_args(Similarity))}, not {by!r}")
        self.by = by


def unit_vectors(query: Query, rows: RowArray, by: Similarity) -> FloatArray:
    """Return (len(rows), f) float32: rows of length 1, or of zeros for an item that nothing is known of.

    Where the model has no such vectors (or there is no model), categories say what is alike.
    """
    view = query.model
    if view is not None and by == "collaborative" and "collaborative.factors" in view.bundle.arrays:
        model_rows, known = view.known(rows)
        return unit_rows(view.array("collaborative.factors").take(model_rows, axis=0) * known[:, None])
    if view is not None and by == "content" and "content.vectors" in view.bundle.arrays:
        vectors, known = view.content_vectors(rows)
        return unit_rows(vectors * known[:, None])
    codes = query.catalogue.category_codes[rows]
    distinct, columns = np.unique(codes, return_inverse=True)
    vectors = np.zeros((len(rows), len(distinct)), dtype=np.float32)
    vectors[np.arange(len(rows)), columns] = 1
    if "" in query.catalogue.categories:
        vectors[codes == query.catalogue.categories.index("")] = 0
    return vectors
