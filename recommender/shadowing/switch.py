"""Which version shadows, and for whom: one row that announces itself, started and stopped by people."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.utils import timezone

from catalog.process_copy import ProcessCopy
from experiments import hashing
from recommender.exceptions import ModelUnavailable, RequestError
from recommender.models import ModelVersion, Shadow
from recommender.registry import publishing
from recommender.registry.locking import exclusive


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningShadow:
    """What a process needs to know of it."""

    pk: int
    percent: int
    version_pk: int
    name: str
    directory: str
    manifest_sha256: str

    def takes(self, user_id: str) -> bool:
        """Return whether this user's lists are compared: always the same users; a higher percentage adds others."""
        return hashing.position_after(_seed_of(self.pk), user_id) * 100 < self.percent


@lru_cache(maxsize=8)
def _seed_of(pk: int) -> int:
    return hashing.seed_state(f"shadow {pk}")


def start(version: ModelVersion, percent: int, by: Any) -> Shadow:
    """Let `version` shadow; one that shadows already keeps its lists and changes its percentage, any other one stops.

    Raises
    ------
    RequestError
        The percentage is not 0..100.
    ModelUnavailable
        The version has no files, or is the one that serves.
    """
    if not 0 <= percent <= 100:
        raise RequestError(f"The percentage must be 0 to 100, not {percent}.")
    with exclusive():
        version.refresh_from_db(fields=["state"])
        if version.state != ModelVersion.State.READY:
            raise ModelUnavailable(f"{version.name} is {version.get_state_display()}; only a ready version can shadow.")
        held = publishing.pointer()
        if held is not None and held.version_id == version.pk:
            raise ModelUnavailable(f"{version.name} serves: there is nothing to compare it with.")
        running: Shadow | None = Shadow.objects.filter(stopped_at=None).first()
        if running is not None and running.version_id == version.pk:
            running.percent = percent
            running.save(update_fields=["percent"])
            return running
        stop()
        started: Shadow = Shadow.objects.create(version=version, percent=percent, started_by=by)
        return started


def stop() -> bool:
    """Let no version shadow; False when none did."""
    return bool(Shadow.objects.filter(stopped_at=None).update(stopped_at=timezone.now()))


def _read(revision: int, earlier: RunningShadow | None) -> RunningShadow | None:
    row = Shadow.objects.filter(stopped_at=None).select_related("version").first()
    if row is None:
        return None
    return RunningShadow(
        pk=row.pk,
        percent=row.percent,
        version_pk=row.version_id,
        name=row.version.name,
        directory=row.version.directory,
        manifest_sha256=row.version.manifest_sha256,
    )


_copy = ProcessCopy[RunningShadow | None](_read)


def current(revision: int) -> RunningShadow | None:
    """Return what shadows, None for nothing; read anew when `revision` (that of `revisions.MODEL`) has moved."""
    return _copy.at(revision)
