"""Search by size: how many of the true nearest it finds, how fast, how long it takes to build, how much it keeps.

Inner products over generated factors (`vectors`), 10,000 and 100,000; `vector_index_large` does a million and more.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recommender.vector_index.annoy import AnnoyIndexBackend
from recommender.vector_index.base import VectorIndex, VectorIndexBackend
from recommender.vector_index.brute_force import BruteForceBackend
from recommender.vector_index.faiss import FaissIndexBackend
from tests.benchmarks import log_charts
from tests.benchmarks.figures import Cell, Row, Target, at_least
from tests.benchmarks.vectors import NEAREST, Searched, generate
from tests.benchmarks.workbench import Workbench

SIZES = (10_000, 100_000)
FACTORS = (64, 128)
APPROXIMATE = ("annoy", "faiss hnsw", "faiss ivf_pq")
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "annoy": {"n_jobs": 2},
    "faiss hnsw": {"n_jobs": 2},
    "faiss ivf_pq": {"kind": "ivf_pq", "n_jobs": 2},
}

Targets = Mapping[str, tuple[Target, Target | None]]
"""Backend → what its recall@10 and its speed, as a multiple of the scan's, must reach."""
FOUND = at_least(0.9)
"""What the gate asks of every index."""


def run(bench: Workbench) -> Iterator[Row]:
    """Measure each backend at each size."""
    yield from measure(
        bench, [(size, factors) for size in SIZES for factors in FACTORS], APPROXIMATE, {}, "vector_index"
    )


def measure(
    bench: Workbench,
    sizes: Sequence[tuple[int, int]],
    names: Sequence[str],
    targets: Mapping[tuple[int, int], Targets],
    chart: str,
) -> Iterator[Row]:
    """Yield the rows of exact search and of the backends `names` for each (items, factors); draw them.

    Speed and the time of a build are by the processor's time, which says the same on a busy machine: a build by two
    threads takes half of it where two processors are free. Compare speed with exact search's, not with another run's.
    """
    found: dict[str, list[tuple[float, float]]] = {}
    for size, factors in sizes:
        bench.step(f"generating {size:,} × {factors}")
        searched = generate(size, factors)
        exact_rate = 0.0
        for backend in (BruteForceBackend("exact", {}), *(_backend(name) for name in names)):
            label = f"{backend.alias} {size:,} × {factors}"
            if not backend.available:
                note = f"the library of {backend.name} is not installed"
                yield Row(name=f"vector index: {label} recall@10", value=None, unit="", note=note)
                continue
            bench.step(label)
            figures = _measured(bench.folder / label.replace(" ", "_"), backend, searched)
            exact_rate = exact_rate or figures["queries/s"]
            figures["× exact"] = figures["queries/s"] / exact_rate
            found.setdefault(backend.alias, []).append((figures["queries/s"], figures["recall@10"]))
            recall, speed = targets.get((size, factors), {}).get(backend.alias, (FOUND, None))
            table = f"Vector search, inner product of {factors} factors"
            for what, value in figures.items():
                yield Row(
                    name=f"vector index: {label} {what}",
                    value=value,
                    unit="",
                    target={"recall@10": recall, "× exact": speed}.get(what),
                    cell=Cell(table=table, line=f"{size:,} {backend.alias}", column=what),
                )
    title = "Vector search: each backend at " + ", ".join(f"{size:,} × {factors}" for size, factors in sizes)
    log_charts.curves(bench.charts / f"{chart}.svg", title, "queries a second", "recall@10", found, log_y=False)


def _backend(name: str) -> VectorIndexBackend:
    made = AnnoyIndexBackend if name == "annoy" else FaissIndexBackend
    return made(name, {"exact_below": 0, **OPTIONS[name]})


def _measured(directory: Path, backend: VectorIndexBackend, searched: Searched) -> dict[str, float]:
    directory.mkdir()
    started = time.process_time()
    built = backend.build(searched.vectors, "dot")
    built.save(directory)
    figures = {"build CPU s": time.process_time() - started}
    meta = built.meta
    del built
    before = _resident_bytes()
    index = backend.open(directory, meta)
    answers = [set(index.search(query, NEAREST)[0].tolist()) for query in searched.queries]
    resident = _resident_bytes() - before
    shares = [len(answer & true) / NEAREST for answer, true in zip(answers, searched.nearest, strict=True)]
    return {
        "recall@10": float(np.mean(shares)),
        "queries/s": 1 / float(np.median(_seconds(index, searched))),
        **figures,
        "MB on disk": sum(file.stat().st_size for file in directory.iterdir()) / 1e6,
        "MB read": max(resident, 0) / 1e6,
    }


def _seconds(index: VectorIndex, searched: Searched) -> list[float]:
    seconds = []
    for query in searched.queries:
        started = time.process_time()
        index.search(query, NEAREST)
        seconds.append(time.process_time() - started)
    return seconds


def _resident_bytes() -> int:
    """Return what this process has in memory now, mapped files included."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096
