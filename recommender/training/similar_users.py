"""The users that others are compared with: their taste as vectors, and what they took lately.

Without names: what is kept of a user is a row of numbers and the rows of items.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender.sources.similar_users import INDEX, folded_in
from recommender.training.dataset import Interactions


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarUsersParameters:
    """How much is kept, so that a version's size does not grow with the audience."""

    users: int = 50_000
    """The most recently active ones."""
    items: int = 200
    """The newest of each user."""


def train(
    data: Interactions, parameters: SimilarUsersParameters, arrays: Mapping[str, NDArray[Any]], regularization: float
) -> tuple[dict[str, NDArray[Any]], NDArray[np.float32]]:
    """Return the arrays of what each kept user took, and (users, factors) float32 of their taste, in the same rows.

    Parameters
    ----------
    arrays
        `collaborative.factors` and `collaborative.gram`, trained on `data`.
    regularization
        λ of the collaborative model.
    """
    starts = data.user_starts()
    active = np.flatnonzero(np.diff(starts))
    newest = data.occurred_at[starts[active + 1] - 1]
    kept = np.sort(active[np.argsort(-newest, kind="stable")[: parameters.users]])
    from_newest = starts[data.users + 1] - np.arange(len(data))
    recent = data.take(np.isin(data.users, kept) & (from_newest <= parameters.items))
    taken = sparse.csr_matrix(recent.matrix()[kept])
    taken.sort_indices()
    factors = folded_in(taken @ arrays["collaborative.factors"], arrays["collaborative.gram"], regularization)
    found: dict[str, NDArray[Any]] = {
        f"{INDEX}.indptr": taken.indptr.astype(np.int64),
        f"{INDEX}.indices": taken.indices.astype(np.int32),
    }
    return found, factors
