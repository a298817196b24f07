"""Which ranker a version gets: the best on validation of every single source, a tuned blend, and the learned ranker.

Everything that learns is measured on requests it did not learn from (cross-validation over users). What is not better
than the best single source is not published: then the single source is the ranking.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.arrays import FloatArray
from recommender.ranking import blend, learned
from recommender.ranking.examples import Examples
from recommender.ranking.features import names
from recommender.ranking.learned import Trees
from recommender.training.parallel import in_parallel

FOLDS = 3
K = 20
"""Places of NDCG that decide: twenty instead of ten have more hits of the few items held out, and less luck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The chosen way to rank, and how the others did."""

    kind: str
    """"single", "blend" or "learned"."""
    weights: dict[str, float]
    """Source column → weight, of the single source or the blend; of the blend also for a learned ranking, whose
    explanations split it."""
    columns: tuple[str, ...]
    trees: Trees | None
    """None unless learned."""
    quality: dict[str, float]
    """Mean NDCG@K on validation of each column alone, of "blend" and of "learned"."""
    gain: float
    """What it surely adds to the best single source, as a share of that one's quality: the mean less one standard
    error, at least 0."""
    scores: FloatArray
    """(candidates,) out-of-fold scores of the chosen one, on no particular scale: what it would have said of requests
    it did not know."""

    def meta(self) -> dict[str, Any]:
        """Return what a version notes: JSON values."""
        quality = {name: round(value, 6) for name, value in self.quality.items()}
        line = {} if self.trees is None else {"intercept": self.trees.intercept, "slope": self.trees.slope}
        return {"kind": self.kind, "weights": self.weights, "columns": list(self.columns), "quality": quality, **line}

    def arrays(self) -> dict[str, NDArray[np.uint8]]:
        """Return the artefact arrays."""
        if self.trees is None:
            return {}
        return {learned.ARTEFACT: np.frombuffer(self.trees.text.encode(), dtype=np.uint8)}


def choose(examples: Examples, seed: int) -> Ranking:
    """Return the best ranking of these examples, made of all of them.

    The trees must beat the better of the other two surely: what they learned of a few hundred users may be luck, which
    a blend of a dozen weights has little room for.
    """
    z = blend.known_z(examples)
    found = {name: examples.ndcg(z[:, place], K) for place, name in enumerate(examples.columns)}
    best_single = max(found, key=lambda name: float(found[name].mean()))
    folds = _folds(examples, seed)
    feature_names = names(examples.columns)
    request_of = examples.request_of

    def made_of(fold: int) -> tuple[dict[str, float], Trees]:
        """Return the blend and the trees of all requests but this fold's."""
        known = folds != fold
        weights = blend.fit(examples, known)
        blended = blend.score(examples, weights)
        rows = known[request_of] & (examples.places(blended) < learned.HEAD)
        trees = learned.train(examples.features[rows], blended[rows], examples.taken[rows], feature_names, seed)
        return weights, trees

    # The last "fold" is no request's: what is made without it is made of all.
    *partial, (weights, trees) = in_parallel(made_of, range(FOLDS + 1), chunk=1)
    blended, learnt = np.zeros(len(examples.rows), np.float32), np.zeros(len(examples.rows), np.float32)
    for fold, (fold_weights, fold_trees) in enumerate(partial):
        unknown = folds[request_of] == fold
        blended[unknown] = blend.score(examples, fold_weights)[unknown]
        head = unknown & (examples.places(blended) < learned.HEAD)
        learnt[unknown] = fold_trees.linear(blended[unknown])
        learnt[head] = fold_trees.predict(blended[head], examples.features[head])
    found |= {"blend": examples.ndcg(blended, K), "learned": examples.ndcg(learnt, K)}
    quality = {name: float(values.mean()) for name, values in found.items()}
    if quality["blend"] > quality[best_single]:
        kind, scores = "blend", blended
    else:
        kind, scores = "single", z[:, examples.columns.index(best_single)]
    if surely(found["learned"] - found["blend" if kind == "blend" else best_single]) > 0:
        kind, scores = "learned", learnt
    elif kind == "single":
        weights = {best_single: 1.0}
    return Ranking(
        kind=kind,
        weights=weights,
        columns=examples.columns,
        trees=trees if kind == "learned" else None,
        quality=quality,
        gain=_gain(found[best_single if kind == "single" else kind], found[best_single]),
        scores=scores,
    )


def _gain(chosen: NDArray[np.float64], alone: NDArray[np.float64]) -> float:
    return max(surely(chosen - alone), 0.0) / max(float(alone.mean()), np.finfo(np.float64).eps)


def surely(gains: NDArray[np.float64]) -> float:
    """Return the mean of (users,) gains less one standard error."""
    return float(gains.mean() - gains.std() / np.sqrt(len(gains)))


def _folds(examples: Examples, seed: int) -> NDArray[np.int64]:
    """Return (users,) the fold of each request, at random."""
    return np.random.default_rng(seed).permutation(np.arange(len(examples)) % FOLDS)
