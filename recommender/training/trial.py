"""A freshly trained model opened for measuring, without becoming a version: arrays in memory, indexes in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from recommender.registry.artifacts import Bundle
from recommender.training.train import Trained
from recommender.vector_index.handler import open_index


@contextmanager
def opened(trained: Trained) -> Iterator[Bundle]:
    """Yield the bundle that serving would read; its index files go when the block ends."""
    with TemporaryDirectory(prefix="recsite-trial-") as folder:
        indexes = {}
        for name, built in trained.indexes.items():
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
