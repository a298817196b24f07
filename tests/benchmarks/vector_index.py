"""Search by size: how many of the true nearest it finds, how fast, how long it takes to build, how much it keeps.

The vectors are generated to be like ALS factors: 200 tastes, each item near one of them in all 64 dimensions, lengths
log-normal up to a limit, as popularity makes them; a query is the sum of five items of one taste, as a folded-in
history is. Annoy finds about as much on them as on the factors of MovieLens (9,066 items: 0.76) and on those of two
million simulated events (100,000 items: 0.11); vectors drawn near fewer dimensions would flatter it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from recommender.vector_index.annoy import AnnoyIndexBackend
from recommender.vector_index.base import VectorIndexBackend
from recommender.vector_index.brute_force import BruteForceBackend
from recommender.vector_index.faiss import FaissIndexBackend
from tests.benchmarks import charts
from tests.benchmarks.figures import Row, at_least
from tests.benchmarks.workbench import Workbench

SIZES = (10_000, 100_000)
FACTORS = 64
TASTES = 200
QUERIES = 200
NEAREST = 10

Vectors = NDArray[np.float32]


def run(bench: Workbench) -> Iterator[Row]:
    """Measure each backend at each size, inner product."""
    backends: list[VectorIndexBackend] = [
        BruteForceBackend("exact", {}),
        AnnoyIndexBackend("annoy", {"exact_below": 0}),
        FaissIndexBackend("faiss hnsw", {"exact_below": 0}),
        FaissIndexBackend("faiss ivf_pq", {"exact_below": 0, "kind": "ivf_pq"}),
    ]
    found: dict[str, tuple[float, float]] = {}
    for size in SIZES:
        vectors, queries = generate(size)
        nearest = _nearest(vectors, queries)
        for backend in backends:
            if not backend.available:
                name = f"vector index: {backend.alias} {size:,} × {FACTORS} recall@10"
                yield Row(name=name, value=None, unit="", note=f"the library of {backend.name} is not installed")
                continue
            bench.step(f"{backend.alias}, {size:,} vectors")
            label = f"{backend.alias} {size:,} × {FACTORS}"
            rows = list(_measure(bench, backend, label, vectors, queries, nearest))
            found[label] = rows[1].value or 0.0, rows[0].value or 0.0
            yield from rows
    charts.points(bench.charts / "vector_index.svg", "Vector search", "queries a second", "recall@10", found)


def generate(size: int) -> tuple[Vectors, Vectors]:
    """Return (size, FACTORS) item vectors and (QUERIES, FACTORS) queries, the same ones every time."""
    rng = np.random.default_rng(size)
    centres = rng.normal(size=(TASTES, FACTORS))
    taste = np.sort(rng.integers(TASTES, size=size))
    # Mean, spread and limit of the lengths of MovieLens' factors.
    lengths = np.minimum(rng.lognormal(mean=-1.3, sigma=0.8, size=size), 2.4)
    directions = centres[taste] + 0.8 * rng.normal(size=(size, FACTORS))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    vectors = (directions * lengths[:, None]).astype(np.float32)
    starts = np.searchsorted(taste, np.arange(TASTES + 1))
    queries = []
    for chosen in rng.integers(TASTES, size=QUERIES):
        history = rng.integers(starts[chosen], starts[chosen + 1], size=5)
        queries.append(vectors[history].sum(axis=0))
    return vectors, np.array(queries, dtype=np.float32)


def _nearest(vectors: Vectors, queries: Vectors) -> list[set[int]]:
    """Return the true nearest of each query, by a full sort in double precision."""
    wide = vectors.astype(np.float64)
    return [set(np.argsort(-(wide @ query.astype(np.float64)))[:NEAREST].tolist()) for query in queries]


def _measure(
    bench: Workbench,
    backend: VectorIndexBackend,
    label: str,
    vectors: Vectors,
    queries: Vectors,
    nearest: list[set[int]],
) -> Iterator[Row]:
    directory = bench.folder / label.replace(" ", "_")
    directory.mkdir()
    started = time.perf_counter()
    built = backend.build(vectors, "dot")
    built.save(directory)
    build_seconds = time.perf_counter() - started
    index = backend.open(directory, built.meta)
    del built
    answers = [set(index.search(query, NEAREST)[0].tolist()) for query in queries]
    seconds = []
    for query in queries:
        started = time.perf_counter()
        index.search(query, NEAREST)
        seconds.append(time.perf_counter() - started)
    recall = float(np.mean([len(answer & true) / NEAREST for answer, true in zip(answers, nearest, strict=True)]))
    on_disk = sum(file.stat().st_size for file in directory.iterdir())
    least = at_least(1.0) if backend.exact else at_least(0.9)
    yield Row(name=f"vector index: {label} recall@10", value=recall, unit="", target=least)
    yield Row(name=f"vector index: {label} queries", value=1 / float(np.median(seconds)), unit="1/s")
    yield Row(name=f"vector index: {label} build", value=build_seconds, unit="s")
    yield Row(name=f"vector index: {label} on disk", value=on_disk, unit="bytes")
