"""A freshly trained model opened for measuring, without becoming a version: arrays in memory, indexes in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from recommender.registry.artifacts import Bundle
from recommender.training.train import Trained
from recommender.vector_index.base import VectorIndex
from recommender.vector_index.brute_force import ExactIndex
from recommender.vector_index.handler import backend, open_index


@contextmanager
def opened(trained: Trained, *, as_served: bool = False) -> Iterator[Bundle]:
    """Yield the bundle that serving would read; its index files go when the block ends.

    What would be searched on a server is scanned, unless it must be `as_served`: then the block must not fork.
    """
    scanned = backend().remote and not as_served
    with TemporaryDirectory(prefix="recsite-trial-") as folder:
        indexes: dict[str, VectorIndex] = {}
        for name, built in trained.indexes.items():
            if scanned:
                indexes[name] = ExactIndex(built.vectors, built.meta.metric)
                continue
            directory = Path(folder) / name
            directory.mkdir()
            built.save(directory)
            indexes[name] = open_index(directory)
        yield Bundle(
            name="trial",
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            meta=trained.meta,
            arrays=trained.arrays,
            indexes=indexes,
        )
