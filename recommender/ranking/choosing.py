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
from recommender.training.parallel import in_parallel

FOLDS = 4
FEW_ROWS = 600_000
"""Above, two folds do: there is enough to learn from in half."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The chosen way to rank, and how the others did."""

    kind: str
    """"single", "blend" or "learned"."""
    weights: dict[str, float]
    """Source column → weight, of the single source or the blend; of the blend also for a learned ranking, whose
    explanations split it."""
    columns: tuple[str, ...]
    trees: str
    """LightGBM's text, "" unless learned."""
    quality: dict[str, float]
    """Mean NDCG@10 on validation of each column alone, of "blend" and of "learned"."""
    scores: FloatArray
    """(candidates,) out-of-fold scores of the chosen one: what it would have said of requests it did not know."""

    def meta(self) -> dict[str, Any]:
        """Return what a version notes: JSON values."""
        quality = {name: round(value, 6) for name, value in self.quality.items()}
        return {"kind": self.kind, "weights": self.weights, "columns": list(self.columns), "quality": quality}

    def arrays(self) -> dict[str, NDArray[np.uint8]]:
        """Return the artefact arrays."""
        if not self.trees:
            return {}
        return {learned.ARTEFACT: np.frombuffer(self.trees.encode(), dtype=np.uint8)}


def choose(examples: Examples, seed: int) -> Ranking:
    """Return the best ranking of these examples, made anew from all of them."""
    z = blend.known_z(examples)
    quality = {name: float(examples.ndcg(z[:, place]).mean()) for place, name in enumerate(examples.columns)}
    best_single = max(quality, key=lambda name: quality[name])
    folds = _folds(examples, seed)
    feature_names = names(examples.columns)
    request_of = examples.request_of

    def outside(fold: int) -> tuple[FloatArray, FloatArray]:
        """Return what a blend and trees that know all other folds say of this one."""
        inside = folds[request_of] == fold
        blended = blend.score(examples, blend.search(examples, folds != fold))[inside]
        trees = learned.train(examples.features[~inside], examples.taken[~inside], feature_names, seed)
        return blended, learned.predict(trees, examples.features[inside])

    blended, learnt = np.zeros(len(examples.rows), np.float32), np.zeros(len(examples.rows), np.float32)
    for fold, found in enumerate(in_parallel(outside, range(folds.max() + 1), chunk=1)):
        inside = folds[request_of] == fold
        blended[inside], learnt[inside] = found
    quality["blend"] = float(examples.ndcg(blended).mean())
    quality["learned"] = float(examples.ndcg(learnt).mean())
    everything = np.ones(len(examples), dtype=bool)
    if quality["learned"] > max(quality["blend"], quality[best_single]):
        kind, scores = "learned", (1 / (1 + np.exp(-learnt))).astype(np.float32)
        trees = learned.train(examples.features, examples.taken, feature_names, seed)
    elif quality["blend"] > quality[best_single]:
        kind, scores, trees = "blend", blended, ""
    else:
        kind, scores, trees = "single", z[:, examples.columns.index(best_single)], ""
    weights = {best_single: 1.0} if kind == "single" else blend.search(examples, everything)
    return Ranking(kind=kind, weights=weights, columns=examples.columns, trees=trees, quality=quality, scores=scores)


def _folds(examples: Examples, seed: int) -> NDArray[np.int64]:
    """Return (users,) the fold of each request, at random."""
    folds = FOLDS if len(examples.rows) <= FEW_ROWS else 2
    dealt = np.arange(len(examples)) % folds
    return np.random.default_rng(seed).permutation(dealt)
