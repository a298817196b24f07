"""Vector index backends by alias, one of each a process: RECOMMENDER_VECTOR_INDEXES, as Django's STORAGES."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from recommender import backends, conf
from recommender.vector_index.base import VectorIndex, VectorIndexBackend, read_meta
from recommender.vector_index.brute_force import open_exact

logger = logging.getLogger(__name__)

_lock = threading.Lock()
_made: dict[str, tuple[Mapping[str, Any], VectorIndexBackend]] = {}


def configured() -> Mapping[str, Mapping[str, Any]]:
    """Return RECOMMENDER_VECTOR_INDEXES: alias → {"BACKEND": dotted path, "OPTIONS": {…}}."""
    entries: Mapping[str, Mapping[str, Any]] = conf.get("VECTOR_INDEXES")
    return entries


def backend(alias: str = "default") -> VectorIndexBackend:
    """Return the process's backend of `alias`; ConfigurationError when the setting cannot be used."""
    entry = configured().get(alias, {})
    with _lock:
        made = _made.get(alias)
        if made is None or made[0] != entry:
            # mypy takes abstract classes for no classes.
            made = (entry, backends.make("VECTOR_INDEXES", alias, VectorIndexBackend))  # type: ignore[type-abstract]
            _made[alias] = made
        return made[1]


def sweep(versions: Collection[str]) -> None:
    """Have every backend drop what it keeps elsewhere for versions that are not among these directories."""
    for alias in configured():
        backend(alias).sweep(versions)


def open_index(directory: Path) -> VectorIndex:
    """Map the index saved in `directory` with the backend that built it.

    Where that backend is no longer configured the stored vectors are scanned instead: changing the setting must not
    make the published version unusable. Raises ArtifactError.
    """
    meta = read_meta(directory)
    if meta.alias in configured():
        chosen = backend(meta.alias)
        if chosen.name == meta.backend:
            return chosen.open(directory, meta)
    logger.warning("index %s was built by %s, no longer configured: exact search", directory.name, meta.backend)
    return open_exact(directory, meta)
