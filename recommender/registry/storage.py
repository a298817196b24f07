"""Where model versions live: one immutable directory each, below RECOMMENDER_MODEL_DIRECTORY.

With RECOMMENDER_MODEL_STORE that directory is a machine's own copy of what all share (`object_store`): a version is
sent before it is visible here, fetched where it is missing, and fetched anew where it is damaged.

A version is written into a hidden directory beside its target, every file is synced and hashed, and one rename makes
it visible. Whoever writes holds a lock (flock) on the hidden directory; the kernel drops it when the writer dies, so
the next writer can tell a dead one's remains from work in progress, also across containers with their own process ids.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from recommender import conf
from recommender.exceptions import ArtifactError, ConfigurationError
from recommender.registry import artifacts, object_store
from recommender.registry.artifacts import Bundle
from recommender.registry.manifest import (
    INDEX_PREFIX,
    MANIFEST_FILE,
    META_FILE,
    FileEntry,
    Manifest,
    sha256_of,
    valid_path,
)
from recommender.registry.object_store import ObjectStore
from recommender.vector_index.base import BuiltIndex

logger = logging.getLogger(__name__)

_WRITING = ".writing-"
_FETCHING = ".fetching"
_DAMAGED = {"missing", "read", "sha256", "size"}
"""Checks that a copy of this machine may fail although the store's version is whole."""
_DIRECTORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*-[0-9a-f]{8}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVersion:
    """A version on disk that the database does not know yet."""

    directory: str
    """Name below RECOMMENDER_MODEL_DIRECTORY."""
    manifest_sha256: str
    bytes: int
    """Total size of its files."""


def root() -> Path:
    """Return RECOMMENDER_MODEL_DIRECTORY, made when it does not exist."""
    configured = conf.get("MODEL_DIRECTORY")
    if not configured:
        raise ConfigurationError("RECOMMENDER_MODEL_DIRECTORY is empty; it must name a directory.")
    path = Path(configured)
    path.mkdir(parents=True, exist_ok=True)
    return path


def write(
    name: str,
    arrays: Mapping[str, NDArray[Any]],
    meta: Mapping[str, Any],
    indexes: Mapping[str, BuiltIndex],
) -> StoredVersion:
    """Write a new version and return where it is. Its files never change afterwards.

    Parameters
    ----------
    name
        The version's name, from `publishing.next_name`.
    arrays
        By name ("item_to_item.indptr", …): booleans, integers, finite floats. "item_pks" is required, see
        `artifacts.Bundle`.
    meta
        JSON values.
    indexes
        Results of `VectorIndexBackend.build`, by name; their rows are rows of the model.

    Raises
    ------
    ArtifactError
        An array may not be stored, or the disk (full, over quota, read-only) or the object store refused. Nothing is
        left behind.
    """
    _check(name, arrays, indexes)
    directory = f"{name}-{secrets.token_hex(4)}"
    with _writing(directory) as path:
        files = {META_FILE: _write_meta(path, meta)}
        for array_name, array in arrays.items():
            files[f"{array_name}.npy"] = _write_array(path / f"{array_name}.npy", array)
        for index_name, index in indexes.items():
            files |= _write_index(path, f"{INDEX_PREFIX}{index_name}", index)
            index.claim(directory, index_name)
        manifest = Manifest(name=name, created_at=datetime.now(UTC).isoformat(timespec="seconds"), files=files)
        content = msgspec.json.encode(manifest)
        _write_bytes(path / MANIFEST_FILE, content)
        _sync(path)
        if (store := object_store.configured()) is not None:
            store.send(path, directory)
    return StoredVersion(
        directory=directory,
        manifest_sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content) + sum(entry.bytes for entry in files.values()),
    )


def load(directory: str, manifest_sha256: str) -> Bundle:
    """Check and map a version, see `artifacts.read`; `directory` and the sum are those of its `ModelVersion`.

    What this machine lacks, or has damaged, comes from the object store first, when there is one.
    """
    if not _DIRECTORY.match(directory):
        message = f"{directory!r} is not the directory of a version."
        raise ArtifactError(message, file=directory, check="path")
    path = root() / directory
    store = object_store.configured()
    if store is None:
        return artifacts.read(path, manifest_sha256)
    if path.is_dir():
        try:
            return artifacts.read(path, manifest_sha256)
        except ArtifactError as error:
            if error.check not in _DAMAGED:
                raise
            logger.warning("%s is fetched anew: %s", directory, error)
    _fetch(store, directory, manifest_sha256)
    return artifacts.read(path, manifest_sha256)


def directories() -> list[Path]:
    """Return the directories that look like versions; nothing else below the root is ever touched."""
    return sorted(path for path in root().iterdir() if _DIRECTORY.match(path.name) and path.is_dir())


def remove(directory: str) -> bool:
    """Delete the files of a version; False when there were none. Processes that have them mapped go on undisturbed."""
    path = root() / directory
    if not _DIRECTORY.match(directory) or not path.is_dir():
        return False
    shutil.rmtree(path, ignore_errors=True)
    if path.exists():
        logger.warning("%s could not be removed entirely", path)
    return True


def sweep_writers() -> list[str]:
    """Remove what writers that died have left; returns the names. Live writers are not disturbed."""
    with _root_locked() as base:
        return _sweep(base)


def _fetch(store: ObjectStore, directory: str, manifest_sha256: str) -> None:
    """Have one process of this machine fetch a version; the others wait, and find it."""
    path = root() / directory
    found = _made(path)
    with (root() / _FETCHING).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _made(path) not in (None, found):
            return
        shutil.rmtree(path, ignore_errors=True)
        with _writing(directory) as target:
            store.fetch(directory, manifest_sha256, target)
            _sync(target)
    logger.info("%s was fetched from the object store", directory)


def _made(path: Path) -> int | None:
    """Return which directory it is (inode), None when there is none."""
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


@contextmanager
def _writing(directory: str) -> Iterator[Path]:
    """Give a locked hidden directory to write into; rename it to `directory` at the end, remove it on any failure."""
    with _root_locked() as base:
        _sweep(base)
        path = Path(tempfile.mkdtemp(prefix=_WRITING, dir=base))
        lock = os.open(path, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield path
        path.chmod(0o755)
        os.rename(path, base / directory)
        _sync(base)
    except BaseException as error:
        for remains in (path, base / directory):
            shutil.rmtree(remains, ignore_errors=True)
        if isinstance(error, OSError):
            message = f"{directory}: not written: {error.strerror or error}."
            raise ArtifactError(message, file=str(error.filename or directory), check="write") from error
        raise
    finally:
        os.close(lock)


@contextmanager
def _root_locked() -> Iterator[Path]:
    """Hold the root's lock, so that nobody sweeps a hidden directory between its making and its locking."""
    base = root()
    descriptor = os.open(base, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield base
    finally:
        os.close(descriptor)


def _sweep(base: Path) -> list[str]:
    swept = []
    for path in base.glob(f"{_WRITING}*"):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(path, ignore_errors=True)
            swept.append(path.name)
        finally:
            os.close(descriptor)
    return swept


def _check(name: str, arrays: Mapping[str, NDArray[Any]], indexes: Mapping[str, BuiltIndex]) -> None:
    for part in (name, *arrays, *indexes):
        if not valid_path(part) or "/" in part:
            message = f"{part!r} cannot be a file's name; letters, digits, and _ . - after the first are allowed."
            raise ArtifactError(message, file=part, check="path")
    for array_name, array in arrays.items():
        artifacts.check_array(f"{array_name}.npy", array)
    artifacts.check_item_pks(arrays.get(artifacts.ITEM_PKS))


def _write_meta(path: Path, meta: Mapping[str, Any]) -> FileEntry:
    content = msgspec.json.encode(dict(meta))
    _write_bytes(path / META_FILE, content)
    return _entry(path / META_FILE)


def _write_array(path: Path, array: NDArray[Any]) -> FileEntry:
    stored = np.ascontiguousarray(array).reshape(array.shape)
    with path.open("xb") as file:
        np.save(file, stored, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o444)
    return _entry(path, dtype=stored.dtype.str, shape=stored.shape)


def _write_index(path: Path, directory: str, index: BuiltIndex) -> dict[str, FileEntry]:
    target = path / directory
    target.mkdir()
    files = {}
    for file in index.save(target):
        _sync(target / file)
        (target / file).chmod(0o444)
        files[f"{directory}/{file}"] = _entry(target / file)
    _sync(target)
    return files


def _write_bytes(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o444)


def _entry(path: Path, *, dtype: str | None = None, shape: tuple[int, ...] | None = None) -> FileEntry:
    return FileEntry(sha256=sha256_of(path), bytes=path.stat().st_size, dtype=dtype, shape=shape)


def _sync(path: Path) -> None:
    """Wait until a file, or the entries of a directory, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
