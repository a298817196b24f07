"""Naming versions and moving the pointer that says which one serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import BigIntegerField, Max
from django.db.models.functions import Cast, Substr
from django.utils import timezone

from recommender.exceptions import ModelUnavailable
from recommender.models import ActiveModel, ModelVersion
from recommender.registry import jobs, storage
from recommender.registry.artifacts import Bundle
from recommender.registry.locking import exclusive
from recommender.registry.storage import StoredVersion

ALIAS = "default"


def is_ready(name: str) -> bool:
    """Return whether a version of that name could serve."""
    return ModelVersion.objects.filter(name=name, state=ModelVersion.State.READY).exists()


def pointer() -> ActiveModel | None:
    """Return the pointer with its version, None before the first publication. One query."""
    return ActiveModel.objects.select_related("version").filter(alias=ALIAS).first()


def next_name() -> str:
    """Return the name a new version would get: v1, v2, …

    Two rebuilds may be told the same; `record_version` lets only the one that holds the lease use it.
    """
    numbered = ModelVersion.objects.filter(name__regex=r"^v[0-9]{1,15}$")
    highest = numbered.annotate(number=Cast(Substr("name", 2), BigIntegerField())).aggregate(Max("number"))
    return f"v{(highest['number__max'] or 0) + 1}"


def record_version(
    name: str,
    *,
    stored: StoredVersion | None,
    fencing_token: int,
    metrics: Mapping[str, Any],
    gate_reasons: Sequence[str] = (),
    items: int = 0,
    users: int = 0,
    interactions: int = 0,
    seconds: float = 0.0,
) -> ModelVersion:
    """Enter a rebuild's result: READY when it was stored, REFUSED (by the gate, with reasons) when `stored` is None.

    Raises LeaseLost when another rebuild has taken over, and then enters nothing.
    """
    with exclusive():
        jobs.require_newest(fencing_token)
        return ModelVersion.objects.create(
            name=name,
            state=ModelVersion.State.REFUSED if stored is None else ModelVersion.State.READY,
            directory="" if stored is None else stored.directory,
            manifest_sha256="" if stored is None else stored.manifest_sha256,
            metrics=dict(metrics),
            gate_reasons=list(gate_reasons),
            items=items,
            users=users,
            interactions=interactions,
            seconds=seconds,
        )


def publish(version: ModelVersion, *, fencing_token: int) -> None:
    """Make `version` the one that serves, once it has been read back whole. Every process swaps on its next request.

    Raises
    ------
    LeaseLost
        Another rebuild has taken over.
    ArtifactError
        A file is not what was written.
    ModelUnavailable
        The version was refused or retired.
    """
    bundle = storage.load(version.directory, version.manifest_sha256)
    with exclusive():
        jobs.require_newest(fencing_token)
        _move(version)
    _announce(bundle)


def rollback(to: str | None = None, *, seen: str | None = None) -> ModelVersion:
    """Move the pointer back and return the version that serves now.

    Parameters
    ----------
    to
        Name of a ready version. None: `earlier`; so two roll-backs in a row go back twice, not to and fro.
    seen
        Name of the version that served ("": none) when somebody decided this; None: whichever serves.

    Raises
    ------
    ModelUnavailable
        There is no such version, or nothing to go back to, or another one serves by now than was `seen`.
    ArtifactError
        The version can no longer be read; the pointer has not moved.
    """
    version = earlier() if to is None else _named(to)
    bundle = storage.load(version.directory, version.manifest_sha256)
    with exclusive():
        if seen is not None:
            _require_serving(seen)
        _move(version, remember=to is not None)
    _announce(bundle)
    return version


def _announce(bundle: Bundle) -> None:
    for name, index in bundle.indexes.items():
        index.announce(name)


def _require_serving(name: str) -> None:
    held = pointer()
    serving = "" if held is None else held.version.name
    if serving != name:
        raise ModelUnavailable(f"{serving or 'No version'} serves by now, no longer {name or 'none'}: look again.")


def _move(version: ModelVersion, *, remember: bool = True) -> None:
    """Point at `version`, remembering what served until now unless told not to. Caller holds `exclusive`."""
    version.refresh_from_db(fields=["state"])
    if version.state != ModelVersion.State.READY:
        raise ModelUnavailable(f"{version.name} is {version.get_state_display()}; only a ready version can serve.")
    held = pointer()
    if held is None:
        ActiveModel.objects.create(alias=ALIAS, version=version)
    elif held.version_id != version.pk:
        held.previous = held.version if remember else None
        held.version = version
        held.published_at = timezone.now()
        held.save()


def earlier() -> ModelVersion:
    """Return the version that a roll-back goes to.

    The one that served before the last publication, else the newest ready one older than the active one.
    ModelUnavailable when there is none.
    """
    held = pointer()
    if held is None:
        raise ModelUnavailable("No version has been published yet; there is nothing to go back to.")
    previous = held.previous
    if previous is not None and previous.state == ModelVersion.State.READY:
        return previous
    older = ModelVersion.objects.filter(state=ModelVersion.State.READY, pk__lt=held.version_id).first()
    if older is None:
        raise ModelUnavailable(f"There is no ready version older than {held.version.name}.")
    return older


def _named(name: str) -> ModelVersion:
    version = ModelVersion.objects.filter(name=name, state=ModelVersion.State.READY).first()
    if version is None:
        ready = ModelVersion.objects.filter(state=ModelVersion.State.READY).values_list("name", flat=True)
        raise ModelUnavailable(f"There is no ready version {name!r}; ready: {', '.join(ready) or 'none'}.")
    return version
