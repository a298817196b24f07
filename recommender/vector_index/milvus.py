"""Approximate search on a Milvus server, for catalogues whose graph is too large for the machines that serve.

A version keeps its vectors, as with every backend, and the graph lies on the server: a collection a content
(`milvus_server`), filled when the version is written, searched by name, dropped when no version needs it. Candidates
are scored with the version's own vectors. Excluded rows are left out by the server as long as they are few enough to
be told.

Inner products are compared as such, for the reasons in `faiss`: stored vectors are of unit length unless the metric is
"dot". While the server is away a scan answers where that is quick, and other sources where it is not.

pymilvus is an optional package (the extra `milvus`). Where it is missing every search is exact.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from django.core import checks
from numpy.typing import NDArray

from recommender.exceptions import ConfigurationError
from recommender.vector_index.approximate import ApproximateIndex
from recommender.vector_index.base import (
    BuiltIndex,
    Exclusion,
    IndexMeta,
    Metric,
    Rows,
    Scores,
    VectorIndex,
    VectorIndexBackend,
    Vectors,
)
from recommender.vector_index.brute_force import BuiltExactIndex, ExactIndex, open_exact
from recommender.vector_index.milvus_server import MilvusAway, MilvusServer

logger = logging.getLogger(__name__)

_TOLD = 5_000
"""Excluded rows named in a search, some 40 kB of text; of more, so many more are asked for."""
_MOST = 16_384
"""Rows that Milvus returns at most."""


class MilvusIndex(ApproximateIndex):
    """A collection, and the vectors to score its candidates with."""

    def __init__(self, server: MilvusServer, collection: str, reference: ExactIndex, options: Mapping[str, Any]):
        super().__init__(reference)
        self._server = server
        self._collection = collection
        self._options = options

    def search(
        self, query: Vectors, k: int, *, exclude: Exclusion | None = None, effort: float = 1.0
    ) -> tuple[Rows, Scores]:
        try:
            return super().search(query, k, exclude=exclude, effort=effort)
        except MilvusAway as error:
            if self.rows > self._options["scanned_when_away"]:
                raise
            logger.info("exact search instead of Milvus: %s", error)
            return self.reference.search(query, k, exclude=exclude)

    def candidates(self, query: Vectors, wanted: int, effort: float) -> Rows:
        return self._asked(query, wanted, effort, np.empty(0, dtype=np.int64))

    def candidates_without(self, query: Vectors, due: int, effort: float, mask: NDArray[np.bool_]) -> Rows:
        excluded = np.flatnonzero(mask)
        if len(excluded) > _TOLD:
            return super().candidates_without(query, due, effort, mask)
        return self._asked(query, due, effort, excluded)

    def announce(self, name: str) -> None:
        try:
            self._server.announce(self._collection, name)
        except MilvusAway as error:
            # Processes search by the collection's own name; the alias is for others.
            logger.warning("the alias of %s was not moved: %s", name, error)

    def _asked(self, query: Vectors, wanted: int, effort: float, without: Rows) -> Rows:
        if wanted > _MOST:
            return np.empty(0, dtype=np.int64)
        return self._server.search(
            self._collection,
            query,
            wanted,
            without=without,
            ef=max(int(self._options["ef_search"] * effort), wanted),
            timeout_seconds=self._options["timeout_ms"] / 1000,
        )


class BuiltMilvusIndex(BuiltExactIndex):
    """Vectors about to be saved here and on the server."""

    def __init__(self, stored: Vectors, meta: IndexMeta, server: MilvusServer) -> None:
        super().__init__(stored, meta)
        self._server = server

    def save_files(self, directory: Path) -> list[str]:
        files = super().save_files(directory)
        options = self.meta.options
        self._server.fill(options["collection"], self.vectors, options["links"], options["ef_construction"])
        return files

    def claim(self, version: str, name: str) -> None:
        self._server.claim(self.meta.options["collection"], version, name)


class MilvusIndexBackend(VectorIndexBackend):
    """Backend whose graph is on a server; exact below `exact_below` rows."""

    name: ClassVar[str] = "milvus"
    remote: ClassVar[bool] = True
    may_be_zero: ClassVar = frozenset({"exact_below", "scanned_when_away"})
    texts: ClassVar = frozenset({"uri", "token", "prefix"})
    default_options: ClassVar = {
        "uri": "http://localhost:19530",
        "token": "",
        # Sites that share a server need one each.
        "prefix": "recsite",
        # Links and candidates of the graph: those of `faiss`, which has the same one.
        "links": 32,
        "ef_construction": 100,
        "ef_search": 128,
        # A list waits for no longer than this; the scan or the other sources then answer.
        "timeout_ms": 300,
        # A scan of so many takes 3 ms, about what a question over the network does.
        "exact_below": 100_000,
        # A scan of a million takes 30 ms: still better than a list without this source.
        "scanned_when_away": 1_000_000,
    }

    def __init__(self, alias: str, options: Mapping[str, Any]) -> None:
        super().__init__(alias, options)
        if not self.options["prefix"].isidentifier():
            message = f"RECOMMENDER_VECTOR_INDEXES[{alias!r}]: prefix is {self.options['prefix']!r}"
            raise ConfigurationError(f"{message}; letters, digits and _ are allowed, a letter first.")
        self._server = MilvusServer(self.options["uri"], self.options["token"], self.options["prefix"])

    @property
    def available(self) -> bool:
        return find_spec("pymilvus") is not None

    def build(self, vectors: Vectors, metric: Metric) -> BuiltIndex:
        stored = self.checked_vectors(vectors, metric)
        meta = self.meta_of(stored, metric)
        if not self._due(len(stored)):
            return BuiltExactIndex(stored, meta)
        return BuiltMilvusIndex(stored, meta, self._server)

    def open(self, directory: Path, meta: IndexMeta) -> VectorIndex:
        reference = open_exact(directory, meta)
        collection = meta.options.get("collection", "")
        if not collection or not self._due(meta.rows):
            return reference
        return MilvusIndex(self._server, collection, reference, self.options)

    def require(self) -> None:
        if self.available:
            self._server.version()

    def sweep(self, versions: Collection[str]) -> None:
        if not self.available:
            return
        try:
            dropped = self._server.sweep(versions)
        except MilvusAway as error:
            logger.warning("collections nobody needs stay in Milvus: %s", error)
        else:
            if dropped:
                logger.info("dropped from Milvus: %s", ", ".join(dropped))

    def check(self) -> Sequence[checks.CheckMessage]:
        entry = f"RECOMMENDER_VECTOR_INDEXES[{self.alias!r}]"
        if not self.available:
            message = f"{entry}: pymilvus is not installed, so every search is exact."
            hint = "pip install 'pymilvus>=3.0.2,<4' (the extra `milvus`); or choose another BACKEND."
            return [checks.Warning(message, hint=hint, id="recommender.W003")]
        try:
            self._server.version()
        except MilvusAway as error:
            hint = (
                "Lists are still answered, rebuilds are refused. Start the server, or see MILVUS_URI and MILVUS_TOKEN."
            )
            return [checks.Warning(f"{entry}: {error}", hint=hint, id="recommender.W004")]
        return []

    def meta_of(self, stored: Vectors, metric: Metric) -> IndexMeta:
        """Return what `index.json` says: how the graph is made and where it lies, and nothing secret."""
        options = {name: self.options[name] for name in ("links", "ef_construction")}
        digest = hashlib.sha256(repr((stored.shape, sorted(options.items()))).encode())
        digest.update(stored.data)
        if self._due(len(stored)):
            options["collection"] = self._server.collection(digest.hexdigest()[:32])
        rows, factors = stored.shape
        return IndexMeta(
            alias=self.alias, backend=self.name, metric=metric, factors=factors, rows=rows, options=options
        )

    def _due(self, rows: int) -> bool:
        """Tell whether so many rows are to be searched by the server."""
        return self.available and rows >= max(self.options["exact_below"], 1)
