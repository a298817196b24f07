"""Approximate search with Annoy's forest of random projections, for catalogues too large to scan on every request.

Annoy (1.17.3) is held at arm's length, for what it does when left alone:

- its inner-product metric misses much (recall@10 of .39 against .83 at 200,000 items), so it is given angles
  (`lifted`), which the longest vectors spoil, so these are scanned (`longest`);
- it takes NaN silently and knows a wrong dimension only by the file's size: both are checked here;
- several build threads make another forest each time, so their number is an option and not the machine's number of
  cores;
- its build on disk maps a sparse file, where a full disk is a SIGBUS that kills the process; built in memory and then
  saved, a full disk is an OSError.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from recommender.vector_index.approximate import ApproximateBackend, ApproximateIndex
from recommender.vector_index.base import IndexMeta, Metric, Rows, Vectors
from recommender.vector_index.brute_force import ExactIndex
from recommender.vector_index.longest import Longest, lengths

_CHUNK = 10_000
"""Rows turned into Python lists at a time while building."""
_SCORED = 5
"""Of what the forest looks at, one in so many is scored exactly: `lifted` shortens some, so its order is not theirs."""
_BESIDE_A_SCAN = 4
"""One in so many of search_k is enough where the longest are scanned besides: 1.00 of users' ten best in a million."""
_UNSHORTENED = 0.8
"""Share of all vectors that keep their length in the forest."""


@dataclass(frozen=True, slots=True)
class Forest:
    """Annoy's trees over all but the longest vectors."""

    trees: Any
    longest: Longest


class ForestIndex(ApproximateIndex):
    """A mapped forest and the vectors to score its candidates with."""

    def __init__(self, forest: Forest, reference: ExactIndex, search_k: int) -> None:
        super().__init__(reference)
        self._forest = forest
        self._search_k = search_k // _BESIDE_A_SCAN if reference.metric == "dot" else search_k
        self._padding = [0.0] if reference.metric == "dot" else []

    def candidates(self, query: Vectors, wanted: int, effort: float) -> Rows:
        looked_at = max(int(self._search_k * effort), 10 * wanted)
        near = max(wanted, looked_at // _SCORED)
        found = self._forest.trees.get_nns_by_vector(query.tolist() + self._padding, near, looked_at)
        longest = self._forest.longest
        others = longest.others(np.array(found, dtype=np.int64))
        return np.sort(np.concatenate((longest.best(query, wanted), others)))


class AnnoyIndexBackend(ApproximateBackend):
    """Backend whose structure is a forest."""

    name: ClassVar[str] = "annoy"
    library: ClassVar[str] = "annoy"
    title: ClassVar[str] = "Annoy"
    files: ClassVar[tuple[str, ...]] = ("forest.ann", *Longest.files)
    warning_id: ClassVar[str] = "recommender.W001"
    remedy: ClassVar[str] = (
        "Answers are right, but slow above some 100,000 items. Install a C++ compiler and the Python headers, then run "
        "`make setup` again; or choose another BACKEND."
    )
    default_options: ClassVar = {
        "n_trees": 20,
        # Of a million ALS factors the ten nearest by angle: .75 found of 5,000 looked at, .92 of 20,000 (5 ms, a sixth
        # of the scan), .97 of 50,000; of 100,000 factors .95 of 5,000, 1.00 of 20,000.
        "search_k": 20_000,
        # Below it the scan is about as quick.
        "exact_below": 300_000,
        # Two halve the time of a build on two cores, and make another forest of the same vectors each time.
        "n_jobs": 1,
        "seed": 7,
    }

    def _structure_of(self, stored: Vectors, metric: Metric) -> Forest:
        longest = Longest.of(stored, metric)
        limit = float(np.quantile(lengths(stored), _UNSHORTENED)) if metric == "dot" else None
        trees = _empty_trees(stored.shape[1] + (metric == "dot"))
        trees.set_seed(self.options["seed"])
        places = len(stored) - len(longest.rows)
        for start in range(0, places, _CHUNK):
            rows = longest.others(np.arange(start, min(start + _CHUNK, places)))
            points = stored[rows] if limit is None else lifted(stored[rows], limit)
            for place, point in enumerate(points.tolist(), start):
                trees.add_item(place, point)
        trees.build(self.options["n_trees"], n_jobs=self.options["n_jobs"])
        return Forest(trees, longest)

    def _write(self, structure: Forest, directory: Path) -> None:
        structure.longest.write(directory)
        # Saving makes Annoy map the file it wrote, hence the rename: what is mapped is never written to again.
        path = directory / self.files[0]
        partial = path.with_name(f"{path.name}.partial")
        structure.trees.save(str(partial))
        partial.replace(path)

    def _read(self, directory: Path, meta: IndexMeta) -> tuple[Forest, int]:
        trees = _empty_trees(meta.factors + (meta.metric == "dot"))
        trees.load(str(directory / self.files[0]))
        longest = Longest.read(directory)
        return Forest(trees, longest), trees.get_n_items() + len(longest.rows)

    def _index(self, structure: Forest, reference: ExactIndex, meta: IndexMeta) -> ForestIndex:
        return ForestIndex(structure, reference, self.options["search_k"])


def lifted(vectors: Vectors, limit: float) -> Vectors:
    """Return (rows, factors + 1) float32, all of length `limit`: longer ones shortened, shorter ones made up.

    A vector v no longer than the limit M has sqrt(M² - |v|²) appended: q·v = (q, 0)·(v, sqrt(…)), so the angle to
    (q, 0) orders as the inner product with q (Bachrach et al. 2014, "Speeding Up the Xbox Recommender System Using a
    Euclidean Transformation for Inner-Product Spaces", §3.1). They take the greatest length for M; then nearly all
    vectors lie at the pole, where no tree tells them apart: of the ten best outside the longest twentieth of 100,000
    factors, a look at 5,000 found 0.07, with half of it for a limit 0.95. Zero vectors stand at the pole.
    """
    squares = np.einsum("rf,rf->r", vectors, vectors, dtype=np.float64)
    shortened = np.minimum(1.0, limit / np.sqrt(np.maximum(squares, np.finfo(np.float64).tiny)))
    last = np.sqrt(np.maximum(limit**2 - squares, 0.0))
    return np.column_stack([vectors * shortened[:, np.newaxis], last]).astype(np.float32)


def _empty_trees(factors: int) -> Any:
    """Return a forest to fill or to load; Annoy has no wheels and needs a C++ compiler, so it may be missing."""
    import annoy

    return annoy.AnnoyIndex(factors, "angular")
