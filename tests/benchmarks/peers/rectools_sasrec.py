"""RecTools' SASRec: Kang and McAuley, "Self-attentive sequential recommendation", 2018, with the full softmax loss."""

from __future__ import annotations

import logging
import warnings

import numpy as np
import pandas as pd
from pytorch_lightning import seed_everything
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel

from tests.benchmarks.peers import exchange
from tests.benchmarks.peers.exchange import LIST_LENGTH, History, Recommend, Rows


def fit(history: History, **settings: object) -> Recommend:
    """Train with the library's own settings; the order of events is all it knows of time."""
    warnings.simplefilter("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    seed_everything(1, verbose=False)
    events = pd.DataFrame(
        {
            Columns.User: history.users,
            Columns.Item: history.items,
            Columns.Weight: 1.0,
            Columns.Datetime: pd.Timestamp(0) + pd.to_timedelta(np.arange(len(history.users)), unit="s"),
        }
    )
    dataset = Dataset.construct(events)
    model = SASRecModel(**settings)
    model.fit(dataset)

    def lists(users: Rows) -> list[Rows]:
        found = model.recommend(users, dataset, k=LIST_LENGTH, filter_viewed=True, on_unsupported_targets="ignore")
        ranked = found.sort_values([Columns.User, Columns.Rank]).groupby(Columns.User)[Columns.Item]
        items = {user: rows.to_numpy(dtype=np.int64) for user, rows in ranked}
        return [items.get(user, np.empty(0, dtype=np.int64)) for user in users.tolist()]

    return lists


if __name__ == "__main__":
    exchange.main(fit)
