"""Model versions that experiments try beside the one in use: opened aside, held as long as an experiment names them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping

from django.db import Error as DatabaseError
from django.db import connection

from catalog.snapshot import Catalogue
from experiments.assignment import RunningExperiment
from recommender.exceptions import ArtifactError
from recommender.models import ModelVersion
from recommender.pipeline import model_view
from recommender.pipeline.model_view import ModelView
from recommender.registry import active, storage
from recommender.registry.artifacts import Bundle

logger = logging.getLogger(__name__)


class TriedVersions:
    """One a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bundles: dict[str, Bundle] = {}
        self._retry_at: dict[str, float] = {}
        """Monotonic time from which a version that could not be opened is tried again."""
        self._views: Mapping[str, ModelView] = {}

    def views(self, names: frozenset[str], catalogue: Catalogue) -> Mapping[str, ModelView]:
        """Return those of the versions that are open, as the catalogue sees them; others are dropped.

        Versions not open yet are opened by a thread meanwhile. Without news this compares, and opens nothing.
        """
        if not self._bundles.keys() <= names:
            self._bundles = {name: bundle for name, bundle in self._bundles.items() if name in names}
        missing = [name for name in names if name not in self._bundles and self._is_due(name)]
        if missing and self._lock.acquire(blocking=False):
            if active.IN_BACKGROUND:
                threading.Thread(target=self._open_aside, args=[missing], name="tried versions", daemon=True).start()
            else:
                self._open_and_release(missing)
        held = self._views
        if any(view.catalogue is not catalogue for view in held.values()) or held.keys() != self._bundles.keys():
            self._views = {
                name: model_view.build(bundle, catalogue, earlier=self._earlier(name, bundle))
                for name, bundle in self._bundles.items()
            }
        return self._views

    def opened(self, names: frozenset[str], catalogue: Catalogue, seconds: float) -> frozenset[str]:
        """Return which of the versions are open; waits so long for those that can be, which no request may."""
        deadline = time.monotonic() + seconds
        while True:
            found = names & self.views(names, catalogue).keys()
            if not any(self._is_due(name) for name in names - found) or time.monotonic() >= deadline:
                return found
            time.sleep(0.05)

    def view(self, name: str, catalogue: Catalogue) -> ModelView | None:
        """Return one that is open as this very catalogue sees it, None when it is not open."""
        held = self._views.get(name)
        if held is None or held.catalogue is catalogue:
            return held
        # Another request has meanwhile gone on to another catalogue.
        return model_view.build(held.bundle, catalogue)

    def _is_due(self, name: str) -> bool:
        return time.monotonic() >= self._retry_at.get(name, 0.0)

    def _earlier(self, name: str, bundle: Bundle) -> ModelView | None:
        view = self._views.get(name)
        return view if view is not None and view.bundle is bundle else None

    def _open_aside(self, names: list[str]) -> None:
        try:
            self._open_and_release(names)
        finally:
            # The thread's own; nobody else would close it.
            connection.close()

    def _open_and_release(self, names: list[str]) -> None:
        try:
            for name in names:
                bundle = _opened(name)
                if bundle is None:
                    self._retry_at[name] = time.monotonic() + active.RETRY_SECONDS
                else:
                    self._bundles = {**self._bundles, name: bundle}
        finally:
            self._lock.release()


def _opened(name: str) -> Bundle | None:
    try:
        version = ModelVersion.objects.filter(name=name, state=ModelVersion.State.READY).first()
        if version is not None:
            return storage.load(version.directory, version.manifest_sha256)
        logger.error("an experiment names the model version %s, which is not there", name)
    except (ArtifactError, DatabaseError) as error:
        logger.error("model version %s of an experiment cannot be opened: %s", name, error)
    return None


def named_by(experiment: RunningExperiment) -> frozenset[str]:
    """Return the names of the versions that an experiment's variants try."""
    configurations = [one for arm in experiment.arms for one in (arm.configuration, *dict(arm.teams).values())]
    return frozenset(str(one["model_version"]) for one in configurations if "model_version" in one)


_tried = TriedVersions()


def views(names: frozenset[str], catalogue: Catalogue) -> Mapping[str, ModelView]:
    """Return this process's, see `TriedVersions.views`."""
    return _tried.views(names, catalogue) if names or _tried._bundles else {}


def opened(names: frozenset[str], catalogue: Catalogue, seconds: float) -> frozenset[str]:
    """Return which of the versions this process has open, see `TriedVersions.opened`."""
    return _tried.opened(names, catalogue, seconds)


def view(name: str, catalogue: Catalogue) -> ModelView | None:
    """Return one of this process's, see `TriedVersions.view`."""
    return _tried.view(name, catalogue)


def forget() -> None:
    """Start over as a new process would (tests)."""
    global _tried
    _tried = TriedVersions()
