"""LensKit's ALS for implicit feedback and its item neighbours, through its top-N pipeline."""

from __future__ import annotations

import numpy as np
import pandas as pd
from lenskit import topn_pipeline
from lenskit.als import ImplicitMFScorer
from lenskit.batch import recommend
from lenskit.data import from_interactions_df
from lenskit.knn import ItemKNNScorer

from tests.benchmarks.peers import exchange
from tests.benchmarks.peers.exchange import LIST_LENGTH, History, Recommend, Rows


def fit(history: History, *, model: str, **settings: object) -> Recommend:
    """Train `model`, "als" or "neighbours", with the library's own settings; what a user took is left out."""
    scorer = {"als": ImplicitMFScorer, "neighbours": ItemKNNScorer}[model](**settings)
    events = pd.DataFrame({"user_id": history.users, "item_id": history.items}).drop_duplicates()
    dataset = from_interactions_df(events, class_name="took")
    pipeline = topn_pipeline(scorer, n=LIST_LENGTH)
    pipeline.train(dataset)

    def lists(users: Rows) -> list[Rows]:
        found = recommend(pipeline, users.tolist(), n=LIST_LENGTH, n_jobs=1)
        return [np.asarray(found.lookup(user_id=user).ids(), dtype=np.int64) for user in users.tolist()]

    return lists


if __name__ == "__main__":
    exchange.main(fit)
