"""Approximate search with Annoy's forest of random projections, for catalogues too large to scan on every request.

Annoy (1.17.3) is held at arm's length, for what it does when left alone:

- its inner-product metric misses much (recall@10 of .39 against .83 at 200,000 items), so it is given angles
  (`equally_long`);
- it takes NaN silently and knows a wrong dimension only by the file's size: both are checked here;
- the number of build threads changes the forest, so it is an option and not the machine's number of cores;
- its build on disk maps a sparse file, where a full disk is a SIGBUS that kills the process; built in memory and then
  saved, a full disk is an OSError.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from recommender.vector_index.approximate import ApproximateBackend, ApproximateIndex
from recommender.vector_index.base import IndexMeta, Metric, Rows, Vectors
from recommender.vector_index.brute_force import ExactIndex

_CHUNK = 10_000
"""Rows turned into Python lists at a time while building."""


class ForestIndex(ApproximateIndex):
    """A mapped forest and the vectors to score its candidates with."""

    def __init__(self, forest: Any, reference: ExactIndex, search_k: int) -> None:
        super().__init__(reference)
        self._forest = forest
        self._search_k = search_k
        self._padding = [0.0] if reference.metric == "dot" else []

    def candidates(self, query: Vectors, wanted: int) -> Rows:
        search_k = max(self._search_k, 10 * wanted)
        found = self._forest.get_nns_by_vector(query.tolist() + self._padding, wanted, search_k)
        return np.sort(np.array(found, dtype=np.int64))


class AnnoyIndexBackend(ApproximateBackend):
    """Backend whose structure is a forest."""

    name: ClassVar[str] = "annoy"
    library: ClassVar[str] = "annoy"
    title: ClassVar[str] = "Annoy"
    file: ClassVar[str] = "forest.ann"
    warning_id: ClassVar[str] = "recommender.W001"
    remedy: ClassVar[str] = (
        "Answers are right, but slow above some 100,000 items. Install a C++ compiler and the Python headers, then run "
        "`make setup` again; or choose another BACKEND."
    )
    default_options: ClassVar = {
        "n_trees": 30,
        # Recall@10 of users on MovieLens' factors (9,125 x 64, `make bench`): .71 at 10,000, .99 at 40,000.
        "search_k": 50_000,
        # On factors like those the scan won at every size tried: 3.9 ms at 100,000 and 13 ms at 400,000 items, where
        # the forest took 26 ms to find .95 and 85 ms to find .86. Vectors that cluster more may be worth a lower one.
        "exact_below": 1_000_000,
        "n_jobs": 1,
        "seed": 7,
    }

    def _structure_of(self, stored: Vectors, metric: Metric) -> Any:
        to_index = equally_long(stored) if metric == "dot" else stored
        forest = _empty_forest(to_index.shape[1])
        forest.set_seed(self.options["seed"])
        for start in range(0, len(to_index), _CHUNK):
            for row, point in enumerate(to_index[start : start + _CHUNK].tolist(), start):
                forest.add_item(row, point)
        forest.build(self.options["n_trees"], n_jobs=self.options["n_jobs"])
        return forest

    def _write(self, structure: Any, path: Path) -> None:
        # Saving makes Annoy map the file it wrote, hence the rename: what is mapped is never written to again.
        partial = path.with_name(f"{path.name}.partial")
        structure.save(str(partial))
        partial.replace(path)

    def _read(self, path: Path, meta: IndexMeta) -> tuple[Any, int]:
        forest = _empty_forest(meta.factors + (meta.metric == "dot"))
        forest.load(str(path))
        return forest, forest.get_n_items()

    def _index(self, structure: Any, reference: ExactIndex, meta: IndexMeta) -> ForestIndex:
        return ForestIndex(structure, reference, self.options["search_k"])


def equally_long(vectors: Vectors) -> Vectors:
    """Return (rows, factors + 1) float32: each vector v with sqrt(M² - |v|²) appended, M the greatest length.

    All results have length M, and q·v = (q, 0)·(v, sqrt(…)): the angle to (q, 0) orders as the inner product with q
    (Bachrach et al. 2014, "Speeding Up the Xbox Recommender System Using a Euclidean Transformation for Inner-Product
    Spaces", §3.1).
    """
    squares = np.einsum("rf,rf->r", vectors, vectors, dtype=np.float64)
    last = np.sqrt(squares.max() - squares)
    return np.column_stack([vectors, last.astype(np.float32)])


def _empty_forest(factors: int) -> Any:
    """Return a forest to fill or to load; Annoy has no wheels and needs a C++ compiler, so it may be missing."""
    import annoy

    return annoy.AnnoyIndex(factors, "angular")
