"""Which backend for how many items: what was measured, and what follows for a site.

The figures are `make bench ONLY="vector_index vector_index_large"`'s: inner products, 64 factors, 2 cores; README's
table is this one. Speed is a multiple of exact search in the same run, which hardly depends on the machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LEAST_RECALL = 0.95
"""Of a backend that is advised."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One backend at one size."""

    items: int
    backend: str
    """`VectorIndexBackend.name`."""
    options: Mapping[str, Any]
    """Those without which it would be another kind of index."""
    recall: float
    """At 10."""
    times_exact: float
    """Queries a second as a multiple of exact search's."""
    build_seconds: float
    """Of processor time; two threads take half of it."""
    megabytes: float
    """On disk, the vectors included; mapped, so no process needs more."""

    @property
    def path(self) -> str:
        """What BACKEND must say."""
        return _PATHS[self.backend]

    @property
    def label(self) -> str:
        """Name it as the table does."""
        return " ".join((self.backend, *self.options.values()))


_PATHS = {
    "brute_force": "recommender.vector_index.brute_force.BruteForceBackend",
    "annoy": "recommender.vector_index.annoy.AnnoyIndexBackend",
    "faiss": "recommender.vector_index.faiss.FaissIndexBackend",
}
HNSW, IVF_PQ = {"kind": "hnsw"}, {"kind": "ivf_pq"}

MEASURED = (
    Measured(10_000, "brute_force", {}, 1.0, 1.0, 0.0, 2.6),
    Measured(10_000, "annoy", {}, 0.999, 0.1, 0.3, 7.9),
    Measured(10_000, "faiss", HNSW, 1.0, 0.88, 2.1, 7.8),
    Measured(10_000, "faiss", IVF_PQ, 0.995, 0.61, 5.0, 2.9),
    Measured(100_000, "brute_force", {}, 1.0, 1.0, 0.0, 25.6),
    Measured(100_000, "annoy", {}, 1.0, 2.04, 8.2, 84.6),
    Measured(100_000, "faiss", HNSW, 0.998, 10.54, 17.9, 78.4),
    Measured(100_000, "faiss", IVF_PQ, 1.0, 6.0, 7.2, 28.1),
    Measured(1_000_000, "brute_force", {}, 1.0, 1.0, 0.2, 256.0),
    Measured(1_000_000, "annoy", {}, 1.0, 9.3, 124.0, 823.1),
    Measured(1_000_000, "faiss", HNSW, 1.0, 105.92, 335.0, 784.1),
    Measured(1_000_000, "faiss", IVF_PQ, 1.0, 20.29, 24.3, 280.3),
)
"""By size, the smallest first."""


def advised(items: int) -> Measured:
    """Return the quickest backend that finds LEAST_RECALL, at the largest measured size that is no larger."""
    size = max((row.items for row in MEASURED if row.items <= items), default=MEASURED[0].items)
    found = [row for row in MEASURED if row.items == size and row.recall >= LEAST_RECALL]
    return max(found, key=lambda row: row.times_exact)


def table() -> list[str]:
    """Return the measurements as the lines of a Markdown table, without its heading."""
    return [
        f"| {row.items:,} | {row.label} | {row.recall:.2f} | {row.times_exact:.1f} | {row.build_seconds:,.0f} | "
        f"{row.megabytes:,.0f} |"
        for row in MEASURED
    ]
