"""The manifest of a model version: what files it has, and their sizes, SHA-256 sums, types and shapes.

The database keeps the SHA-256 of the manifest itself, so whoever can write to the model directory but not to Postgres
cannot slip in a file. The .npy format itself notices truncation but lets a flipped bit or a NaN through.
"""

from __future__ import annotations

import hashlib
import re
import stat
from pathlib import Path
from typing import Literal

import msgspec

from recommender.exceptions import ArtifactError

MANIFEST_FILE = "manifest.json"
META_FILE = "meta.json"
INDEX_PREFIX = "index-"
"""Of the folders of indexes."""

MANIFEST_BYTES_AT_MOST = 1 << 20
META_BYTES_AT_MOST = 256 << 20
"""Content models keep their vocabulary in the metadata."""
FILE_BYTES_AT_MOST = 64 << 30
"""A hundred times what the largest array of a ten-million-item catalogue needs: more is a mistake, not a model."""

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")


class FileEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One file. `dtype` (numpy's `str`, e.g. "<f4") and `shape` are set for the arrays of the bundle only."""

    sha256: str
    bytes: int
    dtype: str | None = None
    shape: tuple[int, ...] | None = None


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All files of a version but the manifest itself, by their path below its directory."""

    format: Literal[1] = 1
    name: str
    created_at: str
    """RFC 3339, UTC."""
    files: dict[str, FileEntry]


def valid_path(path: str) -> bool:
    """Whether `path` is relative, of at most two parts, and neither hidden nor climbing."""
    parts = path.split("/")
    return len(parts) <= 2 and all(_PART.match(part) for part in parts)


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file (1.8 GB/s)."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(directory: Path, expected_sha256: str) -> Manifest:
    """Read the manifest of a version and compare it with the sum that the database holds; raise ArtifactError."""
    path = directory / MANIFEST_FILE
    check_size(path, MANIFEST_FILE, at_most=MANIFEST_BYTES_AT_MOST)
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != expected_sha256:
        raise _error(MANIFEST_FILE, "sha256", f"SHA-256 is {found}, the database says {expected_sha256}")
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except msgspec.MsgspecError as error:
        raise _error(MANIFEST_FILE, "format", str(error)) from error
    for name in manifest.files:
        if not valid_path(name):
            raise _error(MANIFEST_FILE, "path", f"{name!r} is not a path below the version's directory")
    return manifest


def check_file(directory: Path, name: str, entry: FileEntry) -> Path:
    """Return the path of a file whose size and sum are what the manifest says; raise ArtifactError otherwise."""
    path = directory / name
    size = check_size(path, name, at_most=META_BYTES_AT_MOST if name == META_FILE else FILE_BYTES_AT_MOST)
    if size != entry.bytes:
        raise _error(name, "size", f"has {size} bytes, the manifest says {entry.bytes}")
    found = sha256_of(path)
    if found != entry.sha256:
        raise _error(name, "sha256", f"SHA-256 is {found}, the manifest says {entry.sha256}")
    return path


def check_size(path: Path, name: str, *, at_most: int) -> int:
    """Return the size of a regular file (not a link) of at most `at_most` bytes; raise ArtifactError otherwise."""
    try:
        status = path.lstat()
    except OSError as error:
        raise _error(name, "missing", f"cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(status.st_mode):
        raise _error(name, "missing", "is not a regular file")
    if status.st_size > at_most:
        raise _error(name, "size", f"has {status.st_size} bytes, at most {at_most} are allowed")
    return status.st_size


def _error(name: str, check: str, message: str) -> ArtifactError:
    return ArtifactError(f"{name}: {message}.", file=name, check=check)
