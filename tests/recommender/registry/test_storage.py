from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings as django_settings

from recommender.exceptions import ArtifactError, ConfigurationError
from recommender.registry import storage
from recommender.registry.storage import StoredVersion
from tests.recommender.registry.conftest import ARRAYS

Write = Callable[..., StoredVersion]


def test_what_was_written_is_read_back(write: Write) -> None:
    stored = write()
    bundle = storage.load(stored.directory, stored.manifest_sha256)
    assert bundle.name == "v1"
    assert dict(bundle.meta) == {"loss": 0.25}
    assert bundle.item_pks.tolist() == [11, 7, 30]
    assert bundle.items == 3
    assert {name: array.tolist() for name, array in bundle.arrays.items()} == {
        name: array.tolist() for name, array in ARRAYS.items()
    }
    assert {name: array.dtype for name, array in bundle.arrays.items()} == {
        name: array.dtype for name, array in ARRAYS.items()
    }
    rows, scores = bundle.indexes["collaborative"].search(np.array([2, 1], np.float32), 2)
    assert (rows.tolist(), scores.tolist()) == ([2, 0], [3, 2])


def test_bytes_is_the_size_of_all_files(write: Write, model_directory: Path) -> None:
    stored = write()
    files = [path for path in (model_directory / stored.directory).rglob("*") if path.is_file()]
    assert stored.bytes == sum(path.stat().st_size for path in files)
    assert sorted(path.name for path in files) == [
        "collaborative.factors.npy", "index.json", "item_pks.npy", "known.npy", "manifest.json", "meta.json",
        "vectors.npy",
    ]  # fmt: skip


def test_nobody_can_write_to_a_version(write: Write, model_directory: Path) -> None:
    stored = write()
    bundle = storage.load(stored.directory, stored.manifest_sha256)
    with pytest.raises(ValueError, match="read-only"):
        bundle.arrays["known"][0] = False
    with pytest.raises(TypeError):
        bundle.arrays["known"] = np.empty(0)  # type: ignore[index]
    with pytest.raises(AttributeError):
        bundle.name = "v2"  # type: ignore[misc]
    files = [path for path in (model_directory / stored.directory).rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o444}


def test_column_major_and_strided_arrays_keep_their_values(write: Write) -> None:
    matrix = np.arange(12, dtype=np.float32).reshape(3, 4)
    stored = write(arrays={"fortran": np.asfortranarray(matrix), "every_other": matrix[:, ::2], "empty": matrix[:0]})
    arrays = storage.load(stored.directory, stored.manifest_sha256).arrays
    assert arrays["fortran"].tolist() == matrix.tolist()
    assert arrays["every_other"].tolist() == [[0, 2], [4, 6], [8, 10]]
    assert arrays["empty"].shape == (0, 4)


def test_two_versions_of_one_name_do_not_meet(write: Write) -> None:
    first, second = write(), write()
    assert first.directory != second.directory
    assert storage.load(first.directory, first.manifest_sha256).name == "v1"


@pytest.mark.parametrize(
    ("arrays", "file", "check"),
    [
        ({"x": np.array([1.0, np.nan, 2.0], np.float32)}, "x.npy", "finite"),
        ({"x": np.array([np.inf])}, "x.npy", "finite"),
        ({"x": np.array([{"a": 1}], dtype=object)}, "x.npy", "dtype"),
        ({"x": np.array(["text"])}, "x.npy", "dtype"),
        ({"x": np.array([1], dtype=">i4")}, "x.npy", "dtype"),
        ({"item_pks": np.array([1, 2, 1])}, "item_pks.npy", "duplicates"),
        ({"item_pks": np.array([], np.int64)}, "item_pks.npy", "empty"),
        ({"item_pks": np.array([1], np.int32)}, "item_pks.npy", "shape"),
        ({"../x": np.array([1])}, "../x", "path"),
        ({".x": np.array([1])}, ".x", "path"),
    ],
)
def test_arrays_that_may_not_be_stored_are_named(
    write: Write, model_directory: Path, arrays: dict[str, Any], file: str, check: str
) -> None:
    with pytest.raises(ArtifactError) as refusal:
        write(arrays=arrays)
    assert (refusal.value.file, refusal.value.check) == (file, check)
    assert not model_directory.exists() or list(model_directory.iterdir()) == []


def test_a_version_without_items_is_refused() -> None:
    with pytest.raises(ArtifactError, match=r"item_pks\.npy: every model needs it"):
        storage.write("v1", {"x": np.array([1])}, {}, {})


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
@pytest.mark.parametrize("step", range(1, 11))
def test_a_refusing_disk_leaves_nothing_at_any_step(
    write: Write, model_directory: Path, monkeypatch: pytest.MonkeyPatch, code: int, step: int
) -> None:
    old = write()
    calls = []

    def fail_at_step(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == step:
            raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail_at_step)
    with pytest.raises(ArtifactError, match=os.strerror(code)) as refusal:
        write("v2")
    assert refusal.value.check == "write"
    assert len(calls) == step
    assert [path.name for path in model_directory.iterdir()] == [old.directory]


def test_an_interrupted_write_leaves_nothing(
    write: Write, model_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*paths: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "rename", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write()
    assert list(model_directory.iterdir()) == []


def test_a_full_volume_refuses_the_version_and_keeps_the_old(tmp_path: Path, write: Write) -> None:
    """A limit on file size stands in for the full volume: the kernel refuses in the middle of a write."""
    old = write()
    script = f"""
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
import django, numpy as np
from django.conf import settings
settings.configure(RECOMMENDER_MODEL_DIRECTORY={str(storage.root())!r}, INSTALLED_APPS=[])
from recommender.exceptions import ArtifactError
from recommender.registry import storage
try:
    storage.write("v2", {{"item_pks": np.arange(1, 100_000)}}, {{}}, {{}})
except ArtifactError as error:
    print(error.check, error)
"""
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert output.startswith("write v2-")
    assert [path.name for path in storage.root().iterdir()] == [old.directory]
    assert storage.load(old.directory, old.manifest_sha256).name == "v1"


KILLED = """
import os, sys
step, root = int(sys.argv[1]), sys.argv[2]
from django.conf import settings
settings.configure(RECOMMENDER_MODEL_DIRECTORY=root, INSTALLED_APPS=[])
import numpy as np
from recommender.registry import storage
from recommender.vector_index.brute_force import BruteForceBackend

passed = 0
def counted(function):
    def call(*arguments, **keywords):
        global passed
        passed += 1
        if passed == step:
            os.kill(os.getpid(), 9)
        return function(*arguments, **keywords)
    return call

for name in ("fsync", "rename", "chmod", "mkdir"):
    setattr(os, name, counted(getattr(os, name)))
index = BruteForceBackend("default", {}).build(np.eye(3, dtype=np.float32), "dot")
arrays = {"item_pks": np.array([1, 2, 3]), "x": np.ones(3)}
print(storage.write("v2", arrays, {}, {"x": index}).manifest_sha256)
"""


def test_a_writer_killed_at_any_step_leaves_all_or_nothing(write: Write, model_directory: Path) -> None:
    old = write()
    outcomes = []
    for step in range(1, 100):
        result = subprocess.run(
            [sys.executable, "-c", KILLED, str(step), str(model_directory)], capture_output=True, text=True, check=False
        )
        if result.returncode == 0:
            break
        assert result.returncode == -9, result.stderr
        new = [path for path in storage.directories() if path.name != old.directory]
        outcomes.append(len(new))
        assert all((path / "manifest.json").exists() for path in new)
        storage.sweep_writers()
        for path in new:
            storage.remove(path.name)
        assert [path.name for path in model_directory.iterdir()] == [old.directory]
    # Up to the rename nothing is visible; after it one step is left, the sync of the root.
    assert len(outcomes) > 10
    assert outcomes == [0] * (len(outcomes) - 1) + [1]
    (new_directory,) = [path.name for path in storage.directories() if path.name != old.directory]
    assert storage.load(new_directory, result.stdout.strip()).item_pks.tolist() == [1, 2, 3]


def test_the_remains_of_a_dead_writer_are_swept_by_the_next(write: Write, model_directory: Path) -> None:
    (model_directory / ".writing-dead").mkdir(parents=True)
    (model_directory / ".writing-dead" / "x.npy").write_bytes(b"half")
    stored = write()
    assert [path.name for path in model_directory.iterdir()] == [stored.directory]


def test_a_living_writer_is_not_swept(model_directory: Path) -> None:
    with storage._writing("v1-00000000") as path:
        assert storage.sweep_writers() == []
        assert path.exists()
    assert (model_directory / "v1-00000000").is_dir()


@pytest.mark.parametrize("directory", ["", "..", "v1", "../v1-00000000", "/etc", "v1-00000000/x", ".v1-00000000"])
def test_a_directory_that_is_no_version_is_refused(directory: str) -> None:
    with pytest.raises(ArtifactError, match="is not the directory of a version"):
        storage.load(directory, "0" * 64)
    assert storage.remove(directory) is False


def test_no_model_directory_is_a_wrong_setting(settings: django_settings) -> None:
    settings.RECOMMENDER_MODEL_DIRECTORY = ""
    with pytest.raises(ConfigurationError, match="RECOMMENDER_MODEL_DIRECTORY is empty"):
        storage.root()
