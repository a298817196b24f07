"""Removing the files of versions nobody can need."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from experiments import queries
from recommender import conf
from recommender.exceptions import ArtifactError
from recommender.models import ModelVersion, Shadow
from recommender.registry import object_store, storage, tried
from recommender.registry.locking import exclusive
from recommender.registry.publishing import pointer
from recommender.vector_index import handler

logger = logging.getLogger(__name__)

ORPHAN_SECONDS = 3600.0
"""Age from which a directory no ready version names is nobody's: a rebuild enters its version seconds after writing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What `apply` took away."""

    retired: tuple[str, ...]
    """Names of versions, newest first; their rows stay."""
    orphans: tuple[str, ...]
    """Directories."""


def apply() -> Removed:
    """Keep the files of the newest RECOMMENDER_VERSIONS_KEPT ready versions, the active one, the one before it, the one
    that shadows and those that running experiments try.

    Rows are marked retired under the registry's lock before any file goes, and publishing refuses a retired version:
    whatever becomes active meanwhile keeps its files. Processes still using a removed version go on undisturbed.
    """
    with exclusive():
        held = pointer()
        ready = ModelVersion.objects.filter(state=ModelVersion.State.READY)
        kept: set[int | None] = set(ready.values_list("pk", flat=True)[: conf.get("VERSIONS_KEPT")])
        if held is not None:
            kept |= {held.version_id, held.previous_id}
        kept |= set(Shadow.objects.filter(stopped_at=None).values_list("version_id", flat=True))
        kept_names = frozenset[str]().union(*map(tried.named_by, queries.load_running()))
        retired = [version for version in ready if version.pk not in kept and version.name not in kept_names]
        ModelVersion.objects.filter(pk__in=[version.pk for version in retired]).update(state=ModelVersion.State.RETIRED)
    for version in retired:
        storage.remove(version.directory)
    storage.sweep_writers()
    orphans = sweep_copies()
    _sweep_store({version.directory for version in retired})
    handler.sweep(_owned())
    return Removed(retired=tuple(version.name for version in retired), orphans=tuple(orphans))


def sweep_copies() -> list[str]:
    """Remove this machine's old directories without a ready version, and return them.

    A rebuild died before naming it, a removal stopped half-way, or another machine's `apply` has retired it.
    """
    # The directories are listed first: one that appears between the two reads is not in the list.
    candidates = [path for path in storage.directories() if time.time() - path.stat().st_mtime > ORPHAN_SECONDS]
    owned = _owned()
    return [path.name for path in candidates if path.name not in owned and storage.remove(path.name)]


def _sweep_store(retired: set[str]) -> None:
    """Remove the same from the object store. One that does not answer is swept by the next rebuild."""
    store = object_store.configured()
    if store is None:
        return
    try:
        stored = store.directories()
        owned = _owned()
        for directory, newest in stored.items():
            is_old = time.time() - newest.timestamp() > ORPHAN_SECONDS
            if directory in retired or (is_old and directory not in owned):
                store.remove(directory)
    except ArtifactError as error:
        logger.warning("versions nobody needs stay in the object store: %s", error)


def _owned() -> set[str]:
    return set(ModelVersion.objects.filter(state=ModelVersion.State.READY).values_list("directory", flat=True))
