"""Search in a million vectors, and in ten million by compressed lists: `vector_index` says what is measured.

A quarter of an hour on two cores, 6 GB of memory and 12 GB of disk; ten million are left out where that is not there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

from tests.benchmarks.figures import Row, at_least
from tests.benchmarks.vector_index import APPROXIMATE, FACTORS, measure
from tests.benchmarks.workbench import Workbench

MILLION = 1_000_000
TARGETS = {
    (MILLION, 64): {
        "annoy": (at_least(0.9), at_least(4.0)),
        "faiss hnsw": (at_least(0.97), at_least(30.0)),
    }
}
LARGEST = (10 * MILLION, 64)
MEMORY, DISK = 10e9, 8e9
"""Bytes that the ten million need: the vectors twice while they are built, and once more as a file."""


def run(bench: Workbench) -> Iterator[Row]:
    """Measure each backend at a million, the compressed lists at ten."""
    yield from measure(bench, [(MILLION, factors) for factors in FACTORS], APPROXIMATE, TARGETS)
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if free < MEMORY or shutil.disk_usage(bench.folder).free < DISK:
        note = f"needs {MEMORY / 1e9:.0f} GB of memory and {DISK / 1e9:.0f} GB of disk"
        yield Row(name="vector index: faiss ivf_pq 10,000,000 × 64 recall@10", value=None, unit="", note=note)
        return
    yield from measure(bench, [LARGEST], ("faiss ivf_pq",), {})
