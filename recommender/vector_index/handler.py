"""Vector index backends by alias, one of each a process: RECOMMENDER_VECTOR_INDEXES, as Django's STORAGES."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.utils.module_loading import import_string

from recommender import conf
from recommender.exceptions import ConfigurationError
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
    entries = configured()
    if alias not in entries:
        raise ConfigurationError(
            f"RECOMMENDER_VECTOR_INDEXES has no {alias!r}; it has: {', '.join(sorted(entries)) or 'nothing'}."
        )
    entry = entries[alias]
    with _lock:
        made = _made.get(alias)
        if made is None or made[0] != entry:
            made = (entry, _make(alias, entry))
            _made[alias] = made
        return made[1]


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


def _make(alias: str, entry: Mapping[str, Any]) -> VectorIndexBackend:
    unknown = set(entry) - {"BACKEND", "OPTIONS"}
    path = entry.get("BACKEND")
    if unknown or not isinstance(path, str):
        raise ConfigurationError(
            f"RECOMMENDER_VECTOR_INDEXES[{alias!r}] has the keys {sorted(entry)}; "
            "it needs BACKEND (a dotted path) and may have OPTIONS."
        )
    try:
        found = import_string(path)
    except ImportError as error:
        raise ConfigurationError(f"RECOMMENDER_VECTOR_INDEXES[{alias!r}]: {error}") from error
    if not (isinstance(found, type) and issubclass(found, VectorIndexBackend)):
        raise ConfigurationError(
            f"RECOMMENDER_VECTOR_INDEXES[{alias!r}]: {path} is not a subclass of VectorIndexBackend."
        )
    return found(alias, entry.get("OPTIONS", {}))
