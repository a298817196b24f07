"""The peers, and the settings that are tried for each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

Settings = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A module of this package that `exchange.main` is run in."""

    name: str
    module: str
    environment: str | None = None
    """Name of its lock file; None is recsite's own environment."""
    trials: tuple[Settings, ...] = ({},)


def _every(**values: list[Any]) -> tuple[Settings, ...]:
    """Return all combinations."""
    return tuple(dict(zip(values, chosen, strict=True)) for chosen in product(*values.values()))


PEERS = (
    Peer(name="popularity", module="popularity"),
    Peer(
        name="implicit cosine",
        module="implicit_neighbours",
        trials=_every(weighting=["cosine"], neighbours=[10, 20, 50, 100, 200, 500, 1000]),
    ),
    Peer(
        name="implicit BM25",
        module="implicit_neighbours",
        trials=_every(weighting=["bm25"], neighbours=[200, 1000], K1=[1.2, 100.0], B=[0.0, 0.25, 0.5]),
    ),
    Peer(
        name="implicit ALS",
        module="implicit_als",
        trials=_every(factors=[32, 64], regularization=[10.0, 30.0, 100.0], alpha=[1.0, 3.0]),
    ),
    Peer(
        name="EASE",
        module="ease",
        trials=_every(regularization=[25, 50, 100, 200, 400, 800, 1600, 3200]),
    ),
    Peer(
        name="LensKit ALS",
        module="lenskit_models",
        environment="lenskit",
        trials=_every(model=["als"], embedding_size=[16, 32, 64], weight=[1.0, 5.0], regularization=[0.1, 5.0]),
    ),
    Peer(
        name="LensKit item neighbours",
        module="lenskit_models",
        environment="lenskit",
        trials=_every(model=["neighbours"], feedback=["implicit"], max_nbrs=[10, 20, 50, 100, 200, 500]),
    ),
    Peer(
        name="RecTools SASRec",
        module="rectools_sasrec",
        environment="rectools",
        # A shape for small data; only how long it trains is tuned, for one trial takes minutes.
        trials=_every(
            n_factors=[64],
            n_blocks=[1],
            n_heads=[1],
            batch_size=[32],
            lr=[0.001],
            loss=["sampled_softmax"],
            n_negatives=[32],
            epochs=[20, 40, 10],
        ),
    ),
)
