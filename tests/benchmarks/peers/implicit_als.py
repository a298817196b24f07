"""implicit's ALS: Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback datasets", 2008."""

from __future__ import annotations

import numpy as np
from implicit.als import AlternatingLeastSquares

from tests.benchmarks.peers import exchange
from tests.benchmarks.peers.exchange import History, Recommend


def fit(history: History, *, factors: int, regularization: float, alpha: float, iterations: int = 20) -> Recommend:
    """Train on what was taken, each with the confidence 1 + alpha."""
    model = AlternatingLeastSquares(
        factors=factors,
        regularization=regularization,
        alpha=alpha,
        iterations=iterations,
        random_state=1,
        num_threads=1,
    )
    model.fit(history.taken, show_progress=False)
    scores = model.item_factors @ np.asarray(model.user_factors).T
    return lambda users: [history.best_unseen(user, scores[:, user]) for user in users.tolist()]


if __name__ == "__main__":
    exchange.main(fit)
