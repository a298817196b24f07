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

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from django.core import checks

from recommender.exceptions import ArtifactError
from recommender.vector_index.approximate import ApproximateIndex
from recommender.vector_index.base import (
    BuiltIndex,
    IndexMeta,
    Metric,
    Rows,
    VectorIndex,
    VectorIndexBackend,
    Vectors,
)
from recommender.vector_index.brute_force import BuiltExactIndex, ExactIndex, open_exact

FOREST_FILE = "forest.ann"

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


class BuiltForest(BuiltExactIndex):
    """A forest about to be saved, with the vectors it was built from."""

    def __init__(self, stored: Vectors, meta: IndexMeta, forest: Any) -> None:
        super().__init__(stored, meta)
        self._forest = forest

    def save_files(self, directory: Path) -> list[str]:
        files = super().save_files(directory)
        if self._forest is None:
            return files
        # Saving makes Annoy map the file it wrote, hence the rename: what is mapped is never written to again.
        partial = directory / f"{FOREST_FILE}.partial"
        self._forest.save(str(partial))
        os.replace(partial, directory / FOREST_FILE)
        return [*files, FOREST_FILE]


class AnnoyIndexBackend(VectorIndexBackend):
    """Backend of approximate search; exact below `exact_below` rows and where Annoy is not installed.

    The forest is built and saved all the same, so that the switch can be moved without a rebuild.
    """

    name: ClassVar[str] = "annoy"
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
    may_be_zero: ClassVar = frozenset({"exact_below"})

    @property
    def available(self) -> bool:
        return _annoy() is not None

    def build(self, vectors: Vectors, metric: Metric) -> BuiltIndex:
        stored = self.checked_vectors(vectors, metric)
        return BuiltForest(stored, self.meta_of(stored, metric), self._forest_of(stored, metric))

    def _forest_of(self, stored: Vectors, metric: Metric) -> Any:
        """Return a built Annoy forest; None when Annoy is not installed or there is nothing to index."""
        annoy = _annoy()
        if annoy is None or not len(stored):
            return None
        to_index = equally_long(stored) if metric == "dot" else stored
        forest = annoy.AnnoyIndex(to_index.shape[1], "angular")
        forest.set_seed(self.options["seed"])
        for start in range(0, len(to_index), _CHUNK):
            for row, point in enumerate(to_index[start : start + _CHUNK].tolist(), start):
                forest.add_item(row, point)
        forest.build(self.options["n_trees"], n_jobs=self.options["n_jobs"])
        return forest

    def open(self, directory: Path, meta: IndexMeta) -> VectorIndex:
        reference = open_exact(directory, meta)
        annoy = _annoy()
        path = directory / FOREST_FILE
        if annoy is None or meta.rows < max(self.options["exact_below"], 1) or not path.exists():
            return reference
        forest = annoy.AnnoyIndex(meta.factors + (meta.metric == "dot"), "angular")
        try:
            forest.load(str(path))
        except OSError as error:
            raise ArtifactError(f"{path.name}: {error}", file=path.name, check="format") from error
        if forest.get_n_items() != meta.rows:
            message = f"{path.name}: holds {forest.get_n_items()} rows, index.json says {meta.rows}"
            raise ArtifactError(message, file=path.name, check="shape")
        return ForestIndex(forest, reference, self.options["search_k"])

    def check(self) -> Sequence[checks.CheckMessage]:
        if self.available:
            return []
        return [
            checks.Warning(
                f"RECOMMENDER_VECTOR_INDEXES[{self.alias!r}]: Annoy is not installed, so every search is exact.",
                hint="Answers are right, but slow above some 100,000 items. Install a C++ compiler and the Python "
                "headers, then run `make setup` again; or choose another BACKEND.",
                id="recommender.W001",
            )
        ]


def equally_long(vectors: Vectors) -> Vectors:
    """Return (rows, factors + 1) float32: each vector v with sqrt(M² - |v|²) appended, M the greatest length.

    All results have length M, and q·v = (q, 0)·(v, sqrt(…)): the angle to (q, 0) orders as the inner product with q
    (Bachrach et al. 2014, "Speeding Up the Xbox Recommender System Using a Euclidean Transformation for Inner-Product
    Spaces", §3.1).
    """
    squares = np.einsum("rf,rf->r", vectors, vectors, dtype=np.float64)
    last = np.sqrt(squares.max() - squares)
    return np.column_stack([vectors, last.astype(np.float32)])


def _annoy() -> Any:
    """Return the annoy module, None where it could not be built (it has no wheels and needs a C++ compiler)."""
    try:
        import annoy
    except ImportError:
        return None
    return annoy
