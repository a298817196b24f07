"""implicit's item neighbours, by cosine or BM25: a user's scores are the sums of the rows of what he took."""

from __future__ import annotations

from implicit.nearest_neighbours import BM25Recommender, CosineRecommender

from tests.benchmarks.peers import exchange
from tests.benchmarks.peers.exchange import History, Recommend


def fit(history: History, *, weighting: str, neighbours: int, **bm25: float) -> Recommend:
    """Train with `weighting` "cosine" or "bm25" (then with K1 and B)."""
    models = {"cosine": CosineRecommender, "bm25": BM25Recommender}
    model = models[weighting](K=neighbours, num_threads=1, **bm25)
    model.fit(history.taken, show_progress=False)

    def scores(user: int):
        return (history.taken[user] @ model.similarity).toarray().ravel()

    return lambda users: [history.best_unseen(user, scores(user)) for user in users.tolist()]


if __name__ == "__main__":
    exchange.main(fit)
