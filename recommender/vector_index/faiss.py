"""Approximate search with FAISS: a graph (HNSW), or compressed lists (IVF-PQ) for catalogues too large for a graph.

- "hnsw" (Malkov and Yashunin 2016): quickest and most exact; keeps the vectors and `neighbours` links each way,
  512 bytes an item at 64 factors.
- "ivf_pq" (Jégou, Douze and Schmid 2011): √n lists of which `probes` are read, each vector packed into a byte for
  every four factors, 24 bytes an item; the nearest by the packed ones are scored again with the stored vectors.

Inner products are compared as such (Morozov and Babenko 2018, "Non-metric Similarity Graphs for Maximum Inner Product
Search"). Lengthened to angles, as Annoy needs it, the factors of MovieLens make a graph that finds 0.81 of what this
one finds; and by distance a zero vector, an item that nobody has taken, would come before one at an angle of 61°.

faiss-cpu is an optional package (the extra `faiss`). Where it is missing every search is exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from recommender.vector_index.approximate import ApproximateBackend, ApproximateIndex
from recommender.vector_index.base import IndexMeta, Metric, Rows, Vectors
from recommender.vector_index.brute_force import ExactIndex

_PACKED_TOGETHER = 4
"""Factors to a byte of a packed point."""
_FEWEST_PACKED = 1_000
"""A byte stands for one of 256 values, which must be learnt from several times as many points."""


class FaissIndex(ApproximateIndex):
    """A mapped FAISS index and the vectors to score its candidates with."""

    def __init__(self, searched: Any, reference: ExactIndex, options: dict[str, Any]) -> None:
        super().__init__(reference)
        self._searched = searched
        self._options = options

    def candidates(self, query: Vectors, wanted: int, effort: float) -> Rows:
        faiss = _faiss()
        point = _padded(query[np.newaxis], self._searched.d)
        if self._options["kind"] == "hnsw":
            parameters = faiss.SearchParametersHNSW(efSearch=max(int(self._options["ef_search"] * effort), wanted))
        else:
            probes = max(int(self._options["probes"] * effort), 1)
            parameters = faiss.SearchParametersIVF(nprobe=min(probes, self._searched.nlist))
            wanted = min(wanted * self._options["rescored"], self.rows)
        _, found = self._searched.search(point, wanted, params=parameters)
        return np.sort(found[0][found[0] >= 0]).astype(np.int64)


class FaissIndexBackend(ApproximateBackend):
    """Backend whose structure is an index of FAISS."""

    name: ClassVar[str] = "faiss"
    library: ClassVar[str] = "faiss"
    title: ClassVar[str] = "FAISS"
    files: ClassVar[tuple[str, ...]] = ("index.faiss",)
    warning_id: ClassVar[str] = "recommender.W002"
    remedy: ClassVar[str] = (
        "Answers are right, but slow in large catalogues. pip install 'faiss-cpu>=1.15,<2' (the extra `faiss`); or "
        "choose another BACKEND."
    )
    choices: ClassVar = {"kind": ("hnsw", "ivf_pq")}
    default_options: ClassVar = {
        "kind": "hnsw",
        "neighbours": 32,
        "ef_construction": 100,
        # Recall@10 of users on MovieLens' factors: .998 at 128; with 64 lists and 20 candidates a wanted row .97.
        "ef_search": 128,
        "probes": 64,
        "rescored": 20,
        # A list asks for some 400 candidates: the graph then takes 1.2 ms whatever the size, the scan 3.9 at 100,000.
        "exact_below": 50_000,
        "n_jobs": 1,
        "seed": 7,
    }

    def _structure_of(self, stored: Vectors, metric: Metric) -> Any:
        with _threads(self.options["n_jobs"]):
            if self.options["kind"] == "hnsw":
                return self._graph(stored)
            return self._lists(stored) if len(stored) >= _FEWEST_PACKED else None

    def _write(self, structure: Any, directory: Path) -> None:
        faiss = _faiss()
        # FAISS' own writer does not say when the disk is full.
        (directory / self.files[0]).write_bytes(faiss.serialize_index(structure).data)

    def _read(self, directory: Path, meta: IndexMeta) -> tuple[Any, int]:
        faiss = _faiss()
        searched = faiss.read_index(str(directory / self.files[0]), faiss.IO_FLAG_MMAP_IFC)
        return searched, searched.ntotal

    def _index(self, structure: Any, reference: ExactIndex, meta: IndexMeta) -> FaissIndex:
        # What was built decides how it is searched; the other options may have changed since.
        return FaissIndex(structure, reference, {**self.options, "kind": meta.options["kind"]})

    def _graph(self, stored: Vectors) -> Any:
        faiss = _faiss()
        graph = faiss.IndexHNSWFlat(stored.shape[1], self.options["neighbours"], faiss.METRIC_INNER_PRODUCT)
        graph.hnsw.efConstruction = self.options["ef_construction"]
        graph.hnsw.rng = faiss.RandomGenerator(self.options["seed"])
        graph.add(stored)
        return graph

    def _lists(self, stored: Vectors) -> Any:
        faiss = _faiss()
        vectors = _padded(stored, -(-stored.shape[1] // _PACKED_TOGETHER) * _PACKED_TOGETHER)
        rows, factors = vectors.shape
        lists = round(np.sqrt(rows))
        coarse = faiss.IndexFlatIP(factors)
        packed = factors // _PACKED_TOGETHER
        index = faiss.IndexIVFPQ(coarse, factors, lists, packed, 8, faiss.METRIC_INNER_PRODUCT)
        # Lists are chosen by inner product, which centres of different lengths would bias.
        index.cp.spherical = True
        for clustering in (index.cp, index.pq.cp):
            clustering.seed = self.options["seed"]
            # Candidates are scored again, so 10 rounds do as well as 25, and few points need no complaint on stderr.
            clustering.niter = 10
            clustering.min_points_per_centroid = 1
        index.train(vectors)
        index.add(vectors)
        return index


def _padded(vectors: Vectors, dimension: int) -> Vectors:
    """Return the vectors with zeros appended, (rows, dimension) float32: no product changes."""
    missing = dimension - vectors.shape[1]
    return np.ascontiguousarray(np.pad(vectors, ((0, 0), (0, missing))) if missing else vectors)


@contextmanager
def _threads(n: int) -> Iterator[None]:
    """Let FAISS use `n` threads of this thread's OpenMP; more than one make another graph each time."""
    faiss = _faiss()
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(n)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _faiss() -> ModuleType:
    """Import FAISS untyped: its own types lack half of what is used here."""
    return import_module("faiss")
