"""Every way a file can be wrong is refused by name, and what was serving goes on serving."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recommender.exceptions import ArtifactError
from recommender.models import ModelVersion
from recommender.registry import active, artifacts, manifest, publishing, storage
from recommender.registry.storage import StoredVersion
from tests.recommender.registry.conftest import ARRAYS

Write = Callable[..., StoredVersion]
Damage = Callable[[Path], None]

FILES = ["item_pks.npy", "collaborative.factors.npy", "meta.json", "index-collaborative/vectors.npy", "manifest.json"]


def rewrite(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def truncate(share: float) -> Damage:
    def damage(path: Path) -> None:
        content = path.read_bytes()
        rewrite(path, content[: int(len(content) * share)])

    return damage


def flip_bit(position: int) -> Damage:
    def damage(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[position] ^= 0b0000_0100
        rewrite(path, bytes(content))

    return damage


def link(path: Path) -> None:
    path.rename(path.with_suffix(".moved"))
    path.symlink_to(path.with_suffix(".moved"))


DAMAGES: dict[str, tuple[Damage, str]] = {
    "truncated to half": (truncate(0.5), "size"),
    "truncated by a little": (truncate(0.999), "size"),
    "emptied": (truncate(0), "size"),
    "longer": (lambda path: rewrite(path, path.read_bytes() + b"\0"), "size"),
    "bit flip at the start": (flip_bit(6), "sha256"),
    "bit flip in the data": (flip_bit(-3), "sha256"),
    "missing": (Path.unlink, "missing"),
    "a symbolic link": (link, "missing"),
}


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused_by_name(write: Write, model_directory: Path, file: str, damage: str) -> None:
    stored = write()
    inflict, check = DAMAGES[damage]
    inflict(model_directory / stored.directory / file)
    # The manifest has no manifest: every change of its content shows as another sum.
    expected = "sha256" if file == "manifest.json" and check == "size" else check
    with pytest.raises(ArtifactError) as refusal:
        storage.load(stored.directory, stored.manifest_sha256)
    assert (refusal.value.file, refusal.value.check) == (file, expected)
    assert file in str(refusal.value)


@pytest.mark.django_db
@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_the_old_version_goes_on_serving(
    publish: Callable[[], ModelVersion], model_directory: Path, file: str, damage: str
) -> None:
    publish()
    old = active.current(1)
    assert old is not None
    new = publish()
    DAMAGES[damage][0](model_directory / new.directory / file)
    assert active.current(2) is old
    assert old.item_pks.tolist() == [11, 7, 30]


def test_a_missing_directory_is_refused(write: Write) -> None:
    with pytest.raises(ArtifactError, match=r"manifest\.json: cannot be read: No such file"):
        storage.load("v9-00000000", "0" * 64)


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, ("executed",))


def pickled(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.array([Evil()], dtype=object), allow_pickle=True)


def saved(array: np.ndarray) -> Damage:
    def save(path: Path) -> None:
        with path.open("wb") as file:
            np.save(file, array, allow_pickle=False)

    return save


@pytest.mark.parametrize(
    ("content", "entry", "check"),
    [
        (pickled, {}, "format"),
        (lambda path: path.write_bytes(b"\x80\x04N."), {}, "format"),
        (lambda path: path.write_bytes(b""), {}, "format"),
        (lambda path: path.write_bytes(b"\x93NUMPY\x01\x00"), {}, "format"),
        (saved(np.array([[1, np.nan]] * 3, dtype=np.float32)), {}, "finite"),
        (saved(np.array([[1, -np.inf]] * 3, dtype=np.float32)), {}, "finite"),
        (saved(np.zeros((3, 2), np.float64)), {}, "dtype"),
        (saved(np.zeros((2, 3), np.float32)), {}, "shape"),
        (saved(np.zeros((3, 2), ">f4")), {"dtype": ">f4"}, "dtype"),
        (saved(np.array(["x"])), {"dtype": "<U1", "shape": [1]}, "dtype"),
        (saved(np.zeros((3, 2), np.float32)), {"dtype": None, "shape": None}, "format"),
    ],
)
def test_content_is_checked_even_when_the_sums_agree(
    write: Write, model_directory: Path, monkeypatch: pytest.MonkeyPatch, content: Damage, entry: Any, check: str
) -> None:
    """Somebody who can write to the database too still cannot have anything unpickled or served unchecked."""
    directory = model_directory / write().directory
    monkeypatch.chdir(directory)
    path = directory / "collaborative.factors.npy"
    path.unlink()
    content(path)
    with pytest.raises(ArtifactError) as refusal:
        artifacts.read(directory, forge(directory, path.name, entry))
    assert (refusal.value.file, refusal.value.check) == ("collaborative.factors.npy", check)
    assert not (directory / "executed").exists()


@pytest.mark.parametrize(
    ("pks", "check"),
    [
        (np.array([], np.int64), "empty"),
        (np.array([5, 5]), "duplicates"),
        (np.array([5.0]), "shape"),
        (np.array([[5]]), "shape"),
    ],
)
def test_item_pks_must_be_distinct_integers(write: Write, model_directory: Path, pks: np.ndarray, check: str) -> None:
    directory = model_directory / write().directory
    path = directory / "item_pks.npy"
    path.unlink()
    saved(pks)(path)
    with pytest.raises(ArtifactError) as refusal:
        artifacts.read(directory, forge(directory, path.name, {"dtype": pks.dtype.str, "shape": list(pks.shape)}))
    assert (refusal.value.file, refusal.value.check) == ("item_pks.npy", check)


def test_an_index_over_more_rows_than_the_model_has_is_refused(write: Write) -> None:
    stored = write(arrays={"item_pks": np.array([1, 2]), "collaborative.factors": np.ones((2, 2), np.float32)})
    with pytest.raises(ArtifactError, match=r"index-collaborative/index\.json: has 3 rows, the model has 2 items"):
        storage.load(stored.directory, stored.manifest_sha256)


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (lambda manifest: manifest.update(format=2), "format"),
        (lambda manifest: manifest.pop("files"), "format"),
        (lambda manifest: manifest.update(extra=1), "format"),
        (lambda manifest: manifest["files"].update({"../x": {"sha256": "", "bytes": 0}}), "path"),
        (lambda manifest: manifest["files"].update({"/etc/passwd": {"sha256": "", "bytes": 0}}), "path"),
        (lambda manifest: manifest["files"].pop("meta.json"), "missing"),
        (lambda manifest: manifest["files"].pop("item_pks.npy"), "missing"),
    ],
)
def test_a_manifest_that_says_something_else_is_refused(
    write: Write, model_directory: Path, change: Callable[[dict[str, Any]], Any], check: str
) -> None:
    directory = model_directory / write().directory
    path = directory / "manifest.json"
    manifest = json.loads(path.read_bytes())
    change(manifest)
    rewrite(path, json.dumps(manifest).encode())
    with pytest.raises(ArtifactError) as refusal:
        artifacts.read(directory, hashlib.sha256(path.read_bytes()).hexdigest())
    assert refusal.value.check == check


def test_a_failing_disk_is_an_artifact_error(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = write()

    def fail(path: Path) -> str:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))

    monkeypatch.setattr(manifest, "sha256_of", fail)
    with pytest.raises(ArtifactError, match=r"meta\.json: cannot be read: Input/output error"):
        storage.load(stored.directory, stored.manifest_sha256)


def test_a_file_the_manifest_does_not_name_is_ignored(write: Write, model_directory: Path) -> None:
    stored = write()
    (model_directory / stored.directory / "extra.npy").write_bytes(b"anything")
    assert set(storage.load(stored.directory, stored.manifest_sha256).arrays) == set(ARRAYS)


def test_oversized_files_are_refused_before_they_are_read(write: Write, model_directory: Path) -> None:
    stored = write()
    path = model_directory / stored.directory / "manifest.json"
    path.chmod(0o644)
    os.truncate(path, (1 << 20) + 1)
    with pytest.raises(ArtifactError, match=r"manifest\.json: has 1048577 bytes, at most 1048576 are allowed"):
        storage.load(stored.directory, stored.manifest_sha256)


@pytest.mark.django_db
def test_publishing_reads_the_version_back_first(
    publish: Callable[[], ModelVersion], record: Callable[[], ModelVersion], lease: Any, model_directory: Path
) -> None:
    old = publish()
    new = record()
    flip_bit(-1)(model_directory / new.directory / "item_pks.npy")
    with pytest.raises(ArtifactError):
        publishing.publish(new, fencing_token=lease().fencing_token)
    pointer = publishing.pointer()
    assert pointer is not None
    assert pointer.version == old


def forge(directory: Path, name: str, entry: dict[str, Any]) -> str:
    """Make the manifest agree with the file `name` as it is now; return the manifest's new SHA-256."""
    path = directory / "manifest.json"
    manifest = json.loads(path.read_bytes())
    content = (directory / name).read_bytes()
    manifest["files"][name] |= {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)} | entry
    rewrite(path, json.dumps(manifest).encode())
    return hashlib.sha256(path.read_bytes()).hexdigest()
