"""Past requests small enough to rank by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from recommender.ranking.examples import Examples
from recommender.ranking.features import CONTEXT

Request = Mapping[str, Sequence[float]]
"""Source column → z of each candidate, or a name of CONTEXT → its value; "taken" → 1 where he took it."""


def examples_of(*requests: Request, wanted: Sequence[int] | None = None) -> Examples:
    """Return the examples of these requests; candidates are the rows 0, 1, …, context that is not given is nan.

    `wanted` is how many each user took in all; by default those among the candidates.
    """
    columns = tuple(name for name in requests[0] if name != "taken" and name not in CONTEXT)
    taken = [np.array(request["taken"], dtype=bool) for request in requests]
    return Examples(
        starts=np.cumsum([0, *(len(one) for one in taken)]),
        rows=np.concatenate([np.arange(len(one)) for one in taken]),
        features=np.concatenate([_features(request, columns, len(request["taken"])) for request in requests]),
        columns=columns,
        taken=np.concatenate(taken),
        wanted=np.array([one.sum() for one in taken] if wanted is None else wanted, dtype=np.int64),
    )


def _features(request: Request, columns: Sequence[str], n: int) -> NDArray[np.float32]:
    z = [np.array(request[name]) for name in columns]
    ranks = [np.log1p(np.argsort(np.argsort(-np.nan_to_num(one, nan=-np.inf), kind="stable"))) for one in z]
    context = [np.array(request.get(name, [np.nan] * n)) for name in CONTEXT]
    return np.stack([*z, *ranks, *context], axis=1).astype(np.float32)
