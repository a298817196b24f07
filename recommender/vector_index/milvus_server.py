"""A Milvus server as an index needs it: collections filled in batches, asked within a time limit, named by aliases.

A collection is named after its content, `<prefix>_<digest>`, and never changes once it is filled: a process that still
serves an older version asks the older collection. Aliases say what a collection is for:

- `<prefix>_in_<version>_<space>`: one a version and space, made when the version is written. A collection without any
  such alias is nobody's, and goes with the next `sweep`.
- `<prefix>_now_<space>`: what the published version searches, for other programs; it moves when one is published.

Whatever the client raises becomes a MilvusAway: it has no exception of its own for what failed on the way.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from typing import Any, TypeVar

import numpy as np

from interactions.redis_breaker import CircuitBreaker
from recommender.exceptions import BackendError
from recommender.vector_index.base import Rows, Vectors

logger = logging.getLogger(__name__)

LEAST_VERSION = (2, 5)
BATCH_BYTES = 4 << 20
"""Of vectors sent at once; the server takes messages of up to 64 MB."""
JOB_SECONDS = 120.0
"""Limit of one step of a rebuild: a batch, a flush, a collection loaded."""
CHECK_SECONDS = 2.0
"""Limit of a system check, which every command of `manage.py` waits for."""

Reply = TypeVar("Reply")


class MilvusAway(BackendError):
    """The server did not do what it was asked, or is not asked for a while because it did not before."""

    code = "milvus_away"


class MilvusServer:
    """One server, and one connection a process, made on first use."""

    def __init__(self, uri: str, token: str, prefix: str) -> None:
        self.uri = uri
        self._token = token
        self._prefix = prefix
        self._lock = threading.Lock()
        self._client: Any = None
        self._process = 0
        self._breaker = CircuitBreaker("Milvus")
        self._loaded: set[str] = set()
        """Collections that have answered this process since the last failure."""

    def version(self) -> str:
        """Return the server's version; raise MilvusAway when it does not answer, or is too old."""
        version = str(self._asked(lambda client: client.get_server_version(timeout=CHECK_SECONDS), "its version"))
        numbers = tuple(map(int, re.findall(r"\d+", version)[:2]))
        if numbers < LEAST_VERSION:
            least = ".".join(map(str, LEAST_VERSION))
            raise MilvusAway(f"Milvus at {self.uri} is version {version}; {least} or newer is needed.")
        return version

    def collection(self, digest: str) -> str:
        """Return the name of the collection of this content."""
        return f"{self._prefix}_{digest}"

    def fill(self, collection: str, vectors: Vectors, links: int, ef_construction: int) -> None:
        """Have a collection hold `vectors`, (rows, factors) float32, as a graph by inner product.

        One that holds as many rows is what is wanted already; one that holds fewer was left by a rebuild that died.
        """
        if self._asked(lambda client: client.has_collection(collection, timeout=JOB_SECONDS), "its collections"):
            if self._count(collection) == len(vectors):
                return
            self._drop(collection)
        self._asked(lambda client: _create(client, collection, vectors.shape[1], links, ef_construction), "to create")
        batch = max(BATCH_BYTES // (vectors.shape[1] * 4), 1)
        for start in range(0, len(vectors), batch):
            rows = [{"row": start + place, "vector": row} for place, row in enumerate(vectors[start : start + batch])]
            self._asked(partial(_insert, collection, rows), "to insert")
        self._asked(lambda client: client.flush(collection, timeout=JOB_SECONDS), "to flush")
        self._asked(lambda client: client.load_collection(collection, timeout=JOB_SECONDS), "to load")
        if (found := self._count(collection)) != len(vectors):
            raise MilvusAway(f"Milvus at {self.uri}: {collection} holds {found} rows, {len(vectors)} were sent.")

    def search(
        self, collection: str, query: Vectors, wanted: int, *, without: Rows, ef: int, timeout_seconds: float
    ) -> Rows:
        """Return up to `wanted` rows near `query`, (factors,) float32, ascending, none of them `without`.

        Raises MilvusAway at once while the server is being left alone after failures in a row.
        """
        if not self._breaker.allows():
            raise MilvusAway("Milvus is being left alone after repeated failures")

        def call(client: Any) -> Any:
            if collection not in self._loaded:
                # A server that was started again may not have it in memory; where it has, this is one more question.
                client.load_collection(collection, timeout=timeout_seconds)
            return client.search(
                collection,
                data=[query],
                limit=wanted,
                filter=f"row not in {without.tolist()}" if len(without) else "",
                search_params={"params": {"ef": ef}},
                output_fields=[],
                timeout=timeout_seconds,
            )

        try:
            (hits,) = self._asked(call, "to search")
        except MilvusAway:
            self._breaker.failed()
            self._loaded.clear()
            raise
        self._breaker.succeeded()
        self._loaded.add(collection)
        return np.sort(np.fromiter((hit["row"] for hit in hits), dtype=np.int64, count=len(hits)))

    def claim(self, collection: str, version: str, space: str) -> None:
        """Keep a collection for as long as `sweep` is told of this version."""
        self._name(collection, f"in_{version}_{space}")

    def announce(self, collection: str, space: str) -> None:
        """Let other programs find the published collection of a space."""
        self._name(collection, f"now_{space}")

    def _name(self, collection: str, words: str) -> None:
        alias = self._alias(words)

        def call(client: Any) -> None:
            held = _aliases(client, self._collections(client))
            if alias not in held:
                client.create_alias(collection, alias, timeout=JOB_SECONDS)
            elif held[alias] != collection:
                client.alter_alias(collection, alias, timeout=JOB_SECONDS)

        self._asked(call, "to move an alias")

    def sweep(self, versions: Iterable[str]) -> list[str]:
        """Drop every collection of this prefix that none of these versions searches; return their names."""
        kept = tuple(self._alias(f"in_{version}_") for version in versions)
        of_versions = self._alias("in_")

        def call(client: Any) -> list[str]:
            collections = self._collections(client)
            aliases = _aliases(client, collections)
            needed = {collection for alias, collection in aliases.items() if alias.startswith(kept)}
            for alias, collection in aliases.items():
                if collection not in needed or (alias.startswith(of_versions) and not alias.startswith(kept)):
                    client.drop_alias(alias, timeout=JOB_SECONDS)
            dropped = [collection for collection in collections if collection not in needed]
            for collection in dropped:
                client.drop_collection(collection, timeout=JOB_SECONDS)
            return dropped

        found: list[str] = self._asked(call, "to drop collections")
        return found

    def _alias(self, words: str) -> str:
        return f"{self._prefix}_{re.sub(r'[^A-Za-z0-9]', '_', words)}"

    def _collections(self, client: Any) -> list[str]:
        found = client.list_collections(timeout=JOB_SECONDS)
        return sorted(name for name in found if re.fullmatch(rf"{self._prefix}_[0-9a-f]{{32}}", name))

    def _count(self, collection: str) -> int:
        def call(client: Any) -> int:
            client.load_collection(collection, timeout=JOB_SECONDS)
            (counted,) = client.query(
                collection, filter="", output_fields=["count(*)"], consistency_level="Strong", timeout=JOB_SECONDS
            )
            return int(counted["count(*)"])

        return self._asked(call, "to count")

    def _drop(self, collection: str) -> None:
        def call(client: Any) -> None:
            for alias in _aliases(client, [collection]):
                client.drop_alias(alias, timeout=JOB_SECONDS)
            client.drop_collection(collection, timeout=JOB_SECONDS)

        self._asked(call, "to drop a collection")

    def _asked(self, call: Callable[[Any], Reply], what: str) -> Reply:
        try:
            return call(self._connected())
        except MilvusAway:
            raise
        except Exception as error:
            reason = getattr(error, "message", "") or str(error) or type(error).__name__
            raise MilvusAway(f"Milvus at {self.uri} failed when asked {what}: {reason}") from error

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                client = import_module("pymilvus").MilvusClient
                # It writes every failure with its stack, though it raises it as well.
                logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
                self._client = client(uri=self.uri, token=self._token, timeout=CHECK_SECONDS, dedicated=True)
                self._process = os.getpid()
            if self._process != os.getpid():
                # A forked child has the parent's sockets without the threads that read them, and would hang.
                raise MilvusAway("Milvus is not asked from a process forked off one that is connected")
            return self._client


def _create(client: Any, collection: str, factors: int, links: int, ef_construction: int) -> None:
    kinds = import_module("pymilvus").DataType
    schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("row", kinds.INT64, is_primary=True)
    schema.add_field("vector", kinds.FLOAT_VECTOR, dim=factors)
    index = client.prepare_index_params()
    parameters = {"M": links, "efConstruction": ef_construction}
    index.add_index("vector", index_type="HNSW", metric_type="IP", params=parameters)
    # A filled collection never changes, so no search need wait for news.
    client.create_collection(
        collection, schema=schema, index_params=index, consistency_level="Eventually", timeout=JOB_SECONDS
    )


def _insert(collection: str, rows: list[dict[str, Any]], client: Any) -> None:
    client.insert(collection, rows, timeout=JOB_SECONDS)


def _aliases(client: Any, collections: Iterable[str]) -> dict[str, str]:
    """Return collection by alias."""
    return {
        alias: collection
        for collection in collections
        for alias in client.list_aliases(collection, timeout=JOB_SECONDS)["aliases"]
    }
