"""Arrays in one file that processes map read-only and so share: written whole, checked whole before anything is used.

The file is MAGIC, the SHA-256 of all that follows, the length of the head, the head (JSON: where each array is, and
what else is to be known), and the arrays. It never changes: a newer one replaces its name, and who has mapped the
older one goes on reading that.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]

MAGIC = b"recsite1"
"""Another one when the layout changes."""
WRITING = ".writing-"
"""Begins the name of a file that is not whole yet."""
_DIGEST = slice(len(MAGIC), len(MAGIC) + 32)
_BODY = _DIGEST.stop
_ALIGNED = 64
_CHUNK = 1 << 20


class MappedFileError(Exception):
    """The file is not one that `write` has written. The message says what is wrong."""


class _Place(msgspec.Struct, frozen=True, array_like=True):
    """Where one array is: numpy's `dtype.str`, values, and bytes from the end of the head."""

    dtype: str
    length: int
    offset: int


class _Head(msgspec.Struct, frozen=True):
    arrays: dict[str, _Place]
    meta: dict[str, Any]


def write(path: Path, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> None:
    """Write one-dimensional `arrays` and `meta` (JSON values) in place of what is at `path`, if anything.

    Raises
    ------
    OSError
        The disk refused (full, read-only). Nothing is left behind, and what was at `path` still is.
    """
    stored = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    places, end = dict[str, _Place](), 0
    for name, array in stored.items():
        places[name] = _Place(array.dtype.str, len(array), end)
        end += _padded(array.nbytes)
    head = msgspec.json.encode(_Head(places, dict(meta)))
    head += b" " * (_padded(_BODY + 8 + len(head)) - _BODY - 8 - len(head))
    descriptor, temporary = tempfile.mkstemp(prefix=WRITING, dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            digest = hashlib.sha256()
            file.write(MAGIC + bytes(32))
            for part in (len(head).to_bytes(8, "little"), head):
                digest.update(part)
                file.write(part)
            for array in stored.values():
                padding = bytes(_padded(array.nbytes) - array.nbytes)
                for body in (array.view(np.uint8).data, padding):
                    digest.update(body)
                    file.write(body)
            file.seek(_DIGEST.start)
            file.write(digest.digest())
            file.flush()
            os.fchmod(file.fileno(), 0o444)
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync(path.parent)


def read(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """Return the arrays, mapped and read-only, and the meta of a file, once all of it is as it was written.

    Raises
    ------
    MappedFileError
        It is cut short, changed, of another layout, or something else.
    OSError
        It is not there or cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(_BODY + 8)
        if start[: len(MAGIC)] != MAGIC:
            raise MappedFileError(f"{path.name}: does not begin with {MAGIC!r}.")
        file.seek(_BODY)
        # Read, not mapped: what is only hashed then is no part of this process.
        if hashlib.file_digest(file, "sha256").digest() != start[_DIGEST]:
            raise MappedFileError(f"{path.name}: SHA-256 is not what the file says.")
        whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    end = _BODY + 8 + int.from_bytes(start[_BODY:], "little")
    try:
        head = msgspec.json.decode(whole[_BODY + 8 : end], type=_Head)
        arrays = {
            name: np.frombuffer(whole, place.dtype, place.length, end + place.offset)
            if place.length
            else np.empty(0, place.dtype)
            for name, place in head.arrays.items()
        }
    except (msgspec.MsgspecError, ValueError, TypeError) as error:
        raise MappedFileError(f"{path.name}: {error}") from error
    return arrays, head.meta


def _padded(size: int) -> int:
    return -(-size // _ALIGNED) * _ALIGNED


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
