"""An object store shared by all machines (S3, GCS, Azure, a mounted disk), where `storage` is each machine's own copy.

A version is `<store>/<directory>/<file>`; its manifest goes last, so that whatever has one is whole. What is sent is
read back and compared with its SHA-256, what is fetched as well: a store that lies is noticed on both sides.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recommender import conf
from recommender.exceptions import ArtifactError, ConfigurationError
from recommender.registry import manifest as manifests
from recommender.registry.manifest import MANIFEST_FILE

logger = logging.getLogger(__name__)

TIMEOUTS: dict[str, dict[str, Any]] = {
    "s3": {"config_kwargs": {"connect_timeout": 5, "read_timeout": 30, "retries": {"max_attempts": 2}}},
}
"""By protocol: botocore alone would wait for a minute and more, five times."""


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """One prefix of a store."""

    files: Any
    """`fsspec.AbstractFileSystem`."""
    prefix: str

    def send(self, source: Path, directory: str) -> None:
        """Copy all files below `source` and compare what has arrived; raise ArtifactError and leave nothing on failure.

        `source` holds a manifest and the files that it names.
        """
        manifest_sha256 = manifests.sha256_of(source / MANIFEST_FILE)
        manifest = manifests.read(source, manifest_sha256)
        try:
            with _told(directory, "cannot be written"):
                for name, entry in manifest.files.items():
                    self._send_file(source / name, f"{directory}/{name}", entry.sha256)
                self._send_file(source / MANIFEST_FILE, f"{directory}/{MANIFEST_FILE}", manifest_sha256)
        except ArtifactError:
            self._remove_quietly(directory)
            raise

    def fetch(self, directory: str, manifest_sha256: str, target: Path) -> None:
        """Copy a version into the empty directory `target`, each file synced and checked; raise ArtifactError."""
        with _told(directory, "cannot be read"):
            self._fetch_file(directory, MANIFEST_FILE, target)
            manifest = manifests.read(target, manifest_sha256)
            for name, entry in manifest.files.items():
                (target / name).parent.mkdir(exist_ok=True)
                self._fetch_file(directory, name, target)
                manifests.check_file(target, name, entry)

    def remove(self, directory: str) -> None:
        """Delete a version, manifest first, so that a half-removed one is not taken for whole; raise ArtifactError."""
        with _told(directory, "cannot be removed"):
            path = self._path(directory)
            if self.files.exists(f"{path}/{MANIFEST_FILE}"):
                self.files.rm_file(f"{path}/{MANIFEST_FILE}")
            if self.files.exists(path):
                self.files.rm(path, recursive=True)

    def directories(self) -> dict[str, datetime]:
        """Return what lies below the prefix, with the moment (UTC) its newest file came; raise ArtifactError."""
        with _told(self.prefix, "cannot be listed"):
            self.files.invalidate_cache()
            newest: dict[str, datetime] = {}
            for path in self.files.find(self.prefix):
                directory = path[len(self.prefix) :].lstrip("/").split("/")[0]
                written = self.files.modified(path).replace(tzinfo=UTC)
                newest[directory] = max(newest.get(directory, written), written)
            return newest

    def _send_file(self, source: Path, name: str, sha256: str) -> None:
        self.files.makedirs(os.path.dirname(self._path(name)), exist_ok=True)
        self.files.put_file(str(source), self._path(name))
        with self.files.open(self._path(name), "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha256:
            message = f"{name}: SHA-256 of what the store has is {found}, {sha256} was sent."
            raise ArtifactError(message, file=name, check="store")

    def _fetch_file(self, directory: str, name: str, target: Path) -> None:
        self.files.get_file(self._path(f"{directory}/{name}"), str(target / name))
        with (target / name).open("rb") as file:
            os.fsync(file.fileno())
        (target / name).chmod(0o444)

    def _path(self, name: str) -> str:
        return f"{self.prefix}/{name}"

    def _remove_quietly(self, directory: str) -> None:
        try:
            self.remove(directory)
        except ArtifactError as error:
            # Without a manifest it is nobody's; retention finds it.
            logger.warning("what was sent of %s stays in the store: %s", directory, error)


def configured() -> ObjectStore | None:
    """Return the store that RECOMMENDER_MODEL_STORE names, None when it is empty.

    Raises
    ------
    ConfigurationError
        The address has a protocol that nothing installed speaks.
    """
    url = conf.get("MODEL_STORE")
    if not url:
        return None
    protocol = url.partition("://")[0]
    try:
        # An extra: sites on one machine need no object store.
        from fsspec.core import url_to_fs

        files, prefix = url_to_fs(url, **{**TIMEOUTS.get(protocol, {}), **conf.get("MODEL_STORE_OPTIONS")})
    except (ImportError, ValueError) as error:
        message = f"RECOMMENDER_MODEL_STORE is {url!r}: {error}. Install the extra for it: recsite[s3], [gcs], [azure]."
        raise ConfigurationError(message) from error
    return ObjectStore(files, prefix.rstrip("/"))


@contextmanager
def _told(name: str, what: str) -> Iterator[None]:
    """Turn whatever a store raises into an ArtifactError: each client has its own exceptions, without a common base."""
    try:
        yield
    except ArtifactError:
        raise
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise ArtifactError(f"{name}: {what} in the object store: {reason}", file=name, check="store") from error
