"""Removing the files of versions nobody can need."""

from __future__ import annotations

import time
from dataclasses import dataclass

from experiments import queries
from recommender import conf
from recommender.models import ModelVersion, Shadow
from recommender.registry import storage, tried
from recommender.registry.locking import exclusive
from recommender.registry.publishing import pointer

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
    return Removed(retired=tuple(version.name for version in retired), orphans=tuple(_sweep_orphans()))


def _sweep_orphans() -> list[str]:
    """Remove old directories without a ready version: a rebuild died before naming it, or a removal half-way."""
    # The directories are listed first: one that appears between the two reads is not in the list.
    candidates = [path for path in storage.directories() if time.time() - path.stat().st_mtime > ORPHAN_SECONDS]
    owned = set(ModelVersion.objects.filter(state=ModelVersion.State.READY).values_list("directory", flat=True))
    return [path.name for path in candidates if path.name not in owned and storage.remove(path.name)]
