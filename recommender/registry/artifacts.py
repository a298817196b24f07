"""A model version in memory: read-only arrays mapped from its files, each file checked before anything uses it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from recommender.exceptions import ArtifactError
from recommender.registry import manifest as manifests
from recommender.registry import shapes
from recommender.registry.manifest import INDEX_PREFIX, META_FILE, FileEntry
from recommender.vector_index.base import INDEX_FILE, VectorIndex
from recommender.vector_index.handler import open_index

ITEM_PKS = "item_pks"

_CHUNK = 1 << 20
"""Values looked at together when checking that all are finite: the temporary mask then stays in the CPU's cache."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bundle:
    """One immutable model version. Safe to share between threads; swapped as a whole, never changed."""

    name: str
    """`ModelVersion.name`."""
    created_at: str
    """RFC 3339, UTC."""
    meta: Mapping[str, Any]
    """What the rebuild noted: JSON values only."""
    arrays: Mapping[str, NDArray[Any]]
    """By name; read-only, memory-mapped, little-endian, all floating values finite."""
    indexes: Mapping[str, VectorIndex]
    """By name; rows are rows of the model."""

    @property
    def item_pks(self) -> NDArray[np.int64]:
        """(items,) int64, distinct: the catalogue primary key of each row of the model. At least one."""
        return self.arrays[ITEM_PKS]

    @property
    def items(self) -> int:
        """Number of items, the rows of the model."""
        return len(self.item_pks)


def read(directory: Path, manifest_sha256: str) -> Bundle:
    """Check and map the version in `directory`.

    Every file the manifest names must be there with its size and SHA-256 (the whole version is read once, at about
    1.8 GB/s); arrays must have the stated dtype and shape, finite values, and `item_pks` must be distinct and not
    empty, and all must fit together (`shapes`). Other files in the directory are ignored. Nothing is ever unpickled.

    Raises
    ------
    ArtifactError
        With the file and the check that failed.
    """
    try:
        return _read(directory, manifest_sha256)
    except OSError as error:
        # A failing disk, or retention removing the version while it is read.
        file = Path(error.filename or directory).name
        raise ArtifactError(f"{file}: cannot be read: {error.strerror}.", file=file, check="read") from error


def _read(directory: Path, manifest_sha256: str) -> Bundle:
    manifest = manifests.read(directory, manifest_sha256)
    paths = {name: manifests.check_file(directory, name, entry) for name, entry in manifest.files.items()}
    if META_FILE not in paths:
        raise ArtifactError(f"{META_FILE}: the manifest does not name it.", file=META_FILE, check="missing")
    arrays = {
        name.removesuffix(".npy"): _map(paths[name], name, entry)
        for name, entry in manifest.files.items()
        if "/" not in name and name.endswith(".npy")
    }
    check_item_pks(arrays.get(ITEM_PKS))
    indexes = {
        path.parent.name.removeprefix(INDEX_PREFIX): open_index(path.parent)
        for name, path in paths.items()
        if name.startswith(INDEX_PREFIX) and path.name == INDEX_FILE
    }
    shapes.check(arrays, len(arrays[ITEM_PKS]), indexes)
    return Bundle(
        name=manifest.name,
        created_at=manifest.created_at,
        meta=MappingProxyType(_meta(paths[META_FILE])),
        arrays=MappingProxyType(arrays),
        indexes=MappingProxyType(indexes),
    )


def check_array(name: str, array: NDArray[Any]) -> None:
    """Raise ArtifactError unless `array` holds booleans, integers or finite floats, little-endian, row-major."""
    if array.dtype.kind not in "biuf" or array.dtype.byteorder == ">":
        message = f"{name}: dtype is {array.dtype.str}; booleans, integers and floats (little-endian) are allowed."
        raise ArtifactError(message, file=name, check="dtype")
    if array.dtype.kind != "f":
        return
    values = array.reshape(-1)
    for start in range(0, len(values), _CHUNK):
        finite = np.isfinite(values[start : start + _CHUNK])
        if not finite.all():
            first = start + int(np.argmin(finite))
            raise ArtifactError(f"{name}: value {first} is {values[first]}.", file=name, check="finite")


def check_item_pks(pks: NDArray[Any] | None) -> None:
    """Raise ArtifactError unless `pks` is (items,) int64, distinct, of at least one item."""
    name = f"{ITEM_PKS}.npy"
    if pks is None:
        raise ArtifactError(f"{name}: every model needs it.", file=name, check="missing")
    if pks.dtype != np.int64 or pks.ndim != 1:
        message = f"{name}: is {pks.dtype} of shape {pks.shape}; (items,) int64 is needed."
        raise ArtifactError(message, file=name, check="shape")
    if not len(pks):
        raise ArtifactError(f"{name}: the model has no items.", file=name, check="empty")
    if len(np.unique(pks)) != len(pks):
        raise ArtifactError(f"{name}: an item occurs more than once.", file=name, check="duplicates")


def _map(path: Path, name: str, entry: FileEntry) -> NDArray[Any]:
    if entry.dtype is None or entry.shape is None:
        raise ArtifactError(f"{name}: the manifest states no dtype and shape.", file=name, check="format")
    try:
        # A view without the memmap subclass, whose every slice costs microseconds.
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray)
    except (OSError, ValueError, EOFError) as error:
        raise ArtifactError(f"{name}: {error}", file=name, check="format") from error
    if array.dtype.str != entry.dtype:
        message = f"{name}: dtype is {array.dtype.str}, the manifest says {entry.dtype}."
        raise ArtifactError(message, file=name, check="dtype")
    if array.shape != entry.shape or math.prod(array.shape) * array.itemsize > entry.bytes:
        message = f"{name}: shape is {array.shape}, the manifest says {entry.shape}."
        raise ArtifactError(message, file=name, check="shape")
    check_array(name, array)
    return array


def _meta(path: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise ArtifactError(f"{META_FILE}: {error}", file=META_FILE, check="format") from error
