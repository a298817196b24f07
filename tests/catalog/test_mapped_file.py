"""A file of arrays is what was written or is refused, and who has it mapped never notices the next one."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalog import mapped_file
from catalog.mapped_file import MappedFileError

ARRAYS = {
    "keys": np.array([3, 5, 8], dtype=np.int64),
    "flags": np.array([True, False, True]),
    "moments": np.array([-np.inf, np.nan, 1.5]),
    "none": np.empty(0, dtype=np.uint64),
    "text": np.frombuffer("é".encode(), dtype=np.uint8),
}
META = {"tags": ["heist", "日本"], "read_at": 7}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    mapped_file.write(tmp_path / "one", ARRAYS, META)
    return tmp_path / "one"


def test_what_was_written_is_read(path: Path) -> None:
    arrays, meta = mapped_file.read(path)
    assert meta == META
    assert list(arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype


def test_what_is_mapped_cannot_be_written_to(path: Path) -> None:
    arrays, _ = mapped_file.read(path)
    with pytest.raises(ValueError, match="read-only"):
        arrays["keys"][0] = 4


def test_every_changed_byte_is_noticed(path: Path) -> None:
    whole = path.read_bytes()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 4
        path.unlink()
        path.write_bytes(damaged)
        with pytest.raises(MappedFileError):
            mapped_file.read(path)


def test_every_shorter_and_any_longer_file_is_refused(path: Path) -> None:
    whole = path.read_bytes()
    for content in [*(whole[:length] for length in range(len(whole))), whole + b"\0"]:
        path.unlink()
        path.write_bytes(content)
        with pytest.raises(MappedFileError):
            mapped_file.read(path)


def test_a_file_that_is_not_there_is_no_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        mapped_file.read(tmp_path / "none")


def test_who_has_mapped_a_file_goes_on_with_it_when_it_is_replaced(path: Path) -> None:
    earlier, _ = mapped_file.read(path)
    mapped_file.write(path, {"keys": np.arange(100_000)}, {})
    later, _ = mapped_file.read(path)
    path.unlink()
    assert earlier["keys"].tolist() == [3, 5, 8]
    assert later["keys"].sum() == 4_999_950_000


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_what_was_there_and_no_remains(
    path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(OSError, match="No space left"):
        mapped_file.write(path, {"keys": np.arange(3)}, {})
    assert [one.name for one in path.parent.iterdir()] == ["one"]
    assert mapped_file.read(path)[1] == META
