"""The learned ranker: gradient-boosted trees that say how likely a candidate is the one he takes next.

LightGBM with a pointwise, binary objective: on MovieLens latest-small it beat LambdaRank and XE-NDCG. Several small
models with different seeds are averaged, which costs little and takes away most of the luck in one.
"""

from __future__ import annotations

from functools import lru_cache

import lightgbm
import numpy as np
from numpy.typing import NDArray

from recommender.arrays import FloatArray
from recommender.registry.artifacts import Bundle

ARTEFACT = "ranker.trees"
PARAMETERS = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 50,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 10.0,
    # Threads that wait for each other spin: on a busy machine two took minutes for what one does in seconds.
    "num_threads": 1,
    "verbose": -1,
    "deterministic": True,
    "force_row_wise": True,
}
ROUNDS = 200


def train(rows: FloatArray, labels: NDArray[np.bool_], names: list[str], seed: int) -> str:
    """Return the trees as LightGBM's text.

    Parameters
    ----------
    rows
        (n, features) float32, nan allowed.
    labels
        (n,), True where the candidate was taken.
    """
    data = lightgbm.Dataset(rows, labels.astype(np.float32), feature_name=[name.replace(".", "_") for name in names])
    parameters = {**PARAMETERS, "seed": seed}
    trees: str = lightgbm.train(parameters, data, num_boost_round=ROUNDS).model_to_string()
    return trees


def predict(trees: str, rows: FloatArray) -> FloatArray:
    """Return (n,) float32, log-odds."""
    return np.asarray(_booster(trees).predict(rows, raw_score=True, num_threads=1), dtype=np.float32)


def of(bundle: Bundle) -> str:
    """Return the trees of a model version."""
    return _text(bundle)


@lru_cache(maxsize=4)
def _text(bundle: Bundle) -> str:
    return bundle.arrays[ARTEFACT].tobytes().decode()


@lru_cache(maxsize=4)
def _booster(trees: str) -> lightgbm.Booster:
    return lightgbm.Booster(model_str=trees)
