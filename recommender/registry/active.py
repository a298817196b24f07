"""The model version this process serves from: one in memory, swapped by reference when the pointer has moved."""

from __future__ import annotations

import logging
import threading
import time

from django.db import Error as DatabaseError
from django.db import connection
from prometheus_client import Counter

from recommender.exceptions import ArtifactError
from recommender.models import ModelVersion
from recommender.registry import object_store, publishing, retention, storage
from recommender.registry.artifacts import Bundle

logger = logging.getLogger(__name__)

IN_BACKGROUND = True
"""Whether requests go on while a newer version is opened; tests want it on the next request."""
RETRY_SECONDS = 30.0
"""Checking a broken version reads gigabytes: not on every request, but soon enough to notice a mended disk."""

LOAD_FAILURES = Counter(
    "recommender_model_load_failures", "Versions that could not be loaded, by the check that failed.", ["reason"]
)


class ActiveVersion:
    """Holds the version in use. One a process; tests make their own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._revision: int | None = None
        self._bundle: Bundle | None = None
        self._loaded: int | None = None
        """Primary key of the version in `_bundle`."""
        self._retry_at: float | None = None
        """Monotonic time from which a failed load is tried again; None when nothing failed."""

    def current(self, revision: int) -> Bundle | None:
        """Return the version to serve from, None when there is none that can be loaded.

        Without news this is two comparisons. When the pointer's `revision` has moved (or a failed load is due again)
        a thread reads the pointer (one query), opens and checks the version, and swaps; requests go on with what there
        is meanwhile. Only a process's very first load is waited for by all.
        """
        if self._settled(revision):
            return self._bundle
        first = self._revision is None
        if self._lock.acquire(blocking=first):
            if first or not IN_BACKGROUND:
                self._refresh_and_release(revision)
            else:
                work = threading.Thread(target=self._refresh_aside, args=[revision], name="model swap", daemon=True)
                try:
                    work.start()
                except RuntimeError:  # no thread to be had: this request does it
                    self._refresh_and_release(revision)
        return self._bundle

    def _refresh_aside(self, revision: int) -> None:
        try:
            self._refresh_and_release(revision)
        finally:
            # The thread's own; nobody else would close it.
            connection.close()

    def _refresh_and_release(self, revision: int) -> None:
        try:
            if not self._settled(revision):
                self._refresh(revision)
        finally:
            self._lock.release()

    def _settled(self, revision: int) -> bool:
        retry_at = self._retry_at
        return self._revision == revision and (retry_at is None or time.monotonic() < retry_at)

    def _refresh(self, revision: int) -> None:
        """Follow the pointer. A version that cannot be loaded leaves what is in memory, or the newest that loads."""
        failed = True
        try:
            failed = not self._follow()
        except DatabaseError as error:
            LOAD_FAILURES.labels(reason="database").inc()
            logger.error("the model pointer cannot be read: %s", error)
        self._retry_at = time.monotonic() + RETRY_SECONDS if failed else None
        self._revision = revision

    def _follow(self) -> bool:
        pointer = publishing.pointer()
        if pointer is None:
            self._bundle, self._loaded = None, None
            return True
        if pointer.version_id == self._loaded:
            return True
        if self._load(pointer.version):
            if object_store.configured() is not None:
                retention.sweep_copies()
            return True
        if self._bundle is None:
            others = ModelVersion.objects.filter(state=ModelVersion.State.READY).exclude(pk=pointer.version_id)
            any(self._load(version) for version in others)
        return False

    def _load(self, version: ModelVersion) -> bool:
        try:
            bundle = storage.load(version.directory, version.manifest_sha256)
        except ArtifactError as error:
            LOAD_FAILURES.labels(reason=error.check).inc()
            logger.error("model version %s cannot be loaded: %s", version.name, error)
            return False
        self._bundle, self._loaded = bundle, version.pk
        logger.info("model version %s is in use", version.name)
        return True


_active = ActiveVersion()


def current(revision: int) -> Bundle | None:
    """Return this process's version, see `ActiveVersion.current`; `revision` is that of `revisions.MODEL`."""
    return _active.current(revision)


def forget() -> None:
    """Start over as a new process would (tests)."""
    global _active
    _active = ActiveVersion()
