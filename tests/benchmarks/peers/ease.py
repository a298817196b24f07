"""EASE: an item-item model in closed form. Steck, "Embarrassingly shallow autoencoders for sparse data", 2019."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from tests.benchmarks.peers import exchange
from tests.benchmarks.peers.exchange import History, Recommend


def fit(history: History, *, regularization: float) -> Recommend:
    """Score all items for all users."""
    scores = unseen_scores(history.taken, regularization)
    return lambda users: [history.best_unseen(user, scores[user]) for user in users.tolist()]


def unseen_scores(taken: sparse.csr_matrix, regularization: float) -> NDArray[np.float64]:
    """Return X·B, B = I − P·diag(1 / diag(P)), P = (XᵀX + regularization·I)⁻¹ (equation 8), where X is 0.

    Parameters
    ----------
    taken
        X, (users, items), 1 where the user took the item. What stands at those places of the result is no score.

    There are fewer users than items, so P comes from an inverse over users by the Woodbury identity:
    regularization · P = I − Xᵀ(XXᵀ + regularization·I)⁻¹X. With B's diagonal 0, x·B is −(x·P) / diag(P) where x is 0.
    """
    taken = taken.astype(np.float64)
    between_users = (taken @ taken.T).toarray()
    inverse = np.linalg.inv(between_users + regularization * np.eye(len(between_users)))
    half = (taken.T @ inverse).T
    diagonal = 1 - np.asarray(taken.multiply(half).sum(axis=0)).ravel()
    scores: NDArray[np.float64] = (between_users @ half) / diagonal
    return scores


if __name__ == "__main__":
    exchange.main(fit)
