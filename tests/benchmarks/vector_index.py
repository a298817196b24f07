"""Search by size: how many of the true nearest it finds, how fast, how long it takes to build, how much it keeps.

Inner products over generated factors (`vectors`), 10,000 and 100,000; `vector_index_large` does a million and more.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recommender.vector_index.annoy import AnnoyIndexBackend
from recommender.vector_index.base import VectorIndex, VectorIndexBackend, read_meta
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


VARIED: Mapping[str, tuple[str, tuple[int, ...]]] = {
    "annoy": ("search_k", (2_000, 5_000, 20_000, 50_000)),
    "faiss hnsw": ("ef_search", (16, 32, 64, 128)),
    "faiss ivf_pq": ("probes", (1, 4, 16, 64)),
}
"""The option that trades recall for speed after the build; the default is among the values."""


def run(bench: Workbench) -> Iterator[Row]:
    """Measure each backend at each size."""
    yield from measure(bench, [(size, factors) for size in SIZES for factors in FACTORS], APPROXIMATE, {})


def measure(
    bench: Workbench,
    sizes: Sequence[tuple[int, int]],
    names: Sequence[str],
    targets: Mapping[tuple[int, int], Targets],
) -> Iterator[Row]:
    """Yield the rows of exact search and of the backends `names` for each (items, factors), and draw a chart of each.

    Speed and the time of a build are by the processor's time, which says the same on a busy machine: a build by two
    threads takes half of it where two processors are free. Compare speed with exact search's, not with another run's.
    """
    for size, factors in sizes:
        place = f"{size:,} × {factors}"
        bench.step(f"generating {place}")
        searched = generate(size, factors)
        exact_rate = 0.0
        curves: dict[str, list[tuple[float, float]]] = {}
        for name in ("exact", *names):
            backend = _backend(name, {})
            if not backend.available:
                note = f"the library of {backend.name} is not installed"
                yield Row(name=f"vector index: {name} {place} recall@10", value=None, unit="", note=note)
                continue
            bench.step(f"{name} {place}")
            directory = bench.folder / f"{name} {place}".replace(" ", "_")
            figures = _built(directory, backend, searched)
            exact_rate = exact_rate or figures["queries/s"]
            figures["× exact"] = figures["queries/s"] / exact_rate
            recall, speed = targets.get((size, factors), {}).get(name, (FOUND, None))
            for what, value in figures.items():
                yield Row(
                    name=f"vector index: {name} {place} {what}",
                    value=value,
                    unit="",
                    target={"recall@10": recall, "× exact": speed}.get(what),
                    cell=Cell(table=f"Vector search, {factors} factors", line=f"{size:,} {name}", column=what),
                )
            points = [(figures["queries/s"], figures["recall@10"])]
            for option, recalled, rate in _by_option(name, directory, searched):
                points.append((rate, recalled))
                for what, value in (("recall@10", recalled), ("× exact", rate / exact_rate)):
                    table, line = f"Recall for speed, {factors} factors", f"{size:,} {name} {option}"
                    cell = Cell(table=table, line=line, column=what)
                    yield Row(name=f"vector index: {name} {place}, {option}, {what}", value=value, unit="", cell=cell)
            curves[name] = sorted(points)
            shutil.rmtree(directory)
        title, chart = f"Vector search, {place}", bench.charts / f"vector_index_{size}x{factors}.svg"
        log_charts.curves(chart, title, "queries a second", "recall@10", curves, log_y=False)


def _backend(name: str, options: Mapping[str, Any]) -> VectorIndexBackend:
    if name == "exact":
        return BruteForceBackend(name, {})
    made = AnnoyIndexBackend if name == "annoy" else FaissIndexBackend
    return made(name, {"exact_below": 0, **OPTIONS[name], **options})


def _by_option(name: str, directory: Path, searched: Searched) -> Iterator[tuple[str, float, float]]:
    """Yield option and value, recall@10 and queries a second of the saved index opened with each value in VARIED."""
    option, values = VARIED.get(name, ("", ()))
    for value in values:
        index = _backend(name, {option: value}).open(directory, read_meta(directory))
        yield (f"{option} {value:,}", *_searched(index, searched))


def _built(directory: Path, backend: VectorIndexBackend, searched: Searched) -> dict[str, float]:
    directory.mkdir()
    started = time.process_time()
    built = backend.build(searched.vectors, "dot")
    built.save(directory)
    seconds = time.process_time() - started
    meta = built.meta
    del built
    before = _resident_bytes()
    index = backend.open(directory, meta)
    recall, rate = _searched(index, searched)
    return {
        "recall@10": recall,
        "queries/s": rate,
        "build CPU s": seconds,
        "MB on disk": sum(file.stat().st_size for file in directory.iterdir()) / 1e6,
        "MB read": max(_resident_bytes() - before, 0) / 1e6,
    }


def _searched(index: VectorIndex, searched: Searched) -> tuple[float, float]:
    """Return recall@10 and queries a second, the median's, of the second time that all are asked."""
    answers = [set(index.search(query, NEAREST)[0].tolist()) for query in searched.queries]
    shares = [len(answer & true) / NEAREST for answer, true in zip(answers, searched.nearest, strict=True)]
    seconds = []
    for query in searched.queries:
        started = time.process_time()
        index.search(query, NEAREST)
        seconds.append(time.process_time() - started)
    return float(np.mean(shares)), 1 / float(np.median(seconds))


def _resident_bytes() -> int:
    """Return what this process has in memory now, mapped files included."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
