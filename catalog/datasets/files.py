"""Opening a data set: a folder, a zip, or one file. Archives are read member by member and never unpacked to disk."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from catalog.datasets.problems import DatasetError

MAX_RATIO = 200
"""Uncompressed to compressed bytes; real ratings compress about 5:1, generated ones up to 40:1, bombs 1,000:1."""
FREE_BYTES = 10_000_000
"""An archive that unpacks to no more than this may have any ratio."""
MAX_MEMBERS = 10_000
BUFFER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class DatasetFile:
    """One file of a data set. `name` is for people, `size` in bytes."""

    name: str
    size: int
    opener: Callable[[], BinaryIO]

    def open(self) -> BinaryIO:
        """Return a new buffered binary stream from the beginning; the caller closes it."""
        return self.opener()


@dataclass(frozen=True, slots=True)
class Dataset:
    """The files of a data set by lower-case base name."""

    name: str
    files: dict[str, DatasetFile]

    def only(self, *suffixes: str) -> DatasetFile | None:
        """Return the one file with such a suffix, or None when there is none or more than one."""
        matching = [file for name, file in self.files.items() if name.endswith(suffixes)]
        return matching[0] if len(matching) == 1 else None


@contextmanager
def open_dataset(path: Path) -> Iterator[Dataset]:
    """Open a folder, a zip or a single file.

    The files may lie in one folder inside (`ml-20m/ratings.csv`); of two with the same base name the outer one counts.

    Raises
    ------
    DatasetError
        When there is nothing, or an archive that is broken, encrypted, a bomb, or points outside itself.
    """
    if not path.exists():
        raise DatasetError(f"{path} does not exist")
    if path.is_dir():
        yield Dataset(path.name, _folder_files(path))
    elif zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                yield Dataset(path.name, _archive_files(path, archive))
        except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
            raise DatasetError(f"{path.name} is a damaged or unsupported zip: {error}") from error
    elif path.is_file():
        file = DatasetFile(path.name, path.stat().st_size, lambda: path.open("rb", buffering=BUFFER_BYTES))
        yield Dataset(path.name, {path.name.lower(): file})
    else:
        raise DatasetError(f"{path} is neither a file nor a folder")


def _folder_files(folder: Path) -> dict[str, DatasetFile]:
    outer = [entry for entry in sorted(folder.iterdir()) if not entry.name.startswith(".")]
    inner = [entry for directory in outer if directory.is_dir() for entry in sorted(directory.iterdir())]
    files: dict[str, DatasetFile] = {}
    for path in (*outer, *inner):
        if path.is_file():
            opener = _path_opener(path)
            files.setdefault(path.name.lower(), DatasetFile(path.name, path.stat().st_size, opener))
    return files


def _path_opener(path: Path) -> Callable[[], BinaryIO]:
    return lambda: path.open("rb", buffering=BUFFER_BYTES)


def _archive_files(path: Path, archive: zipfile.ZipFile) -> dict[str, DatasetFile]:
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise DatasetError(f"{path.name} has {len(members):,} members; at most {MAX_MEMBERS:,} are read")
    unpacked, packed = sum(member.file_size for member in members), path.stat().st_size
    # Measured against the archive itself, so that members that share their bytes are found out too.
    if unpacked > max(FREE_BYTES, MAX_RATIO * packed):
        raise DatasetError(
            f"{path.name} unpacks {packed:,} bytes to {unpacked:,}: more than {MAX_RATIO}:1 is taken for a zip bomb"
        )
    files: dict[str, DatasetFile] = {}
    for member in sorted(members, key=lambda member: (member.filename.count("/"), member.filename)):
        _refuse_unsafe(path, member)
        inside = PurePosixPath(member.filename)
        if not member.is_dir() and len(inside.parts) <= 2 and not inside.name.startswith("."):
            files.setdefault(inside.name.lower(), DatasetFile(inside.name, member.file_size, _opener(archive, member)))
    return files


def _refuse_unsafe(path: Path, member: zipfile.ZipInfo) -> None:
    name = member.filename
    if name.startswith(("/", "\\")) or "\\" in name or ":" in name or ".." in PurePosixPath(name).parts:
        raise DatasetError(f"{path.name} holds {name!r}, which points outside the archive")
    if member.external_attr and stat.S_ISLNK(member.external_attr >> 16):
        raise DatasetError(f"{path.name} holds the symbolic link {name!r}")
    if member.flag_bits & 1:
        raise DatasetError(f"{path.name} is encrypted")


def _opener(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], BinaryIO]:
    # ZipExtFile reads lines in Python; a buffer in front of it does so in C.
    return lambda: io.BufferedReader(archive.open(member), BUFFER_BYTES)  # type: ignore[type-var]
