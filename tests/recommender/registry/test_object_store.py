"""Two machines, each with a disk of its own, that share versions by an object store: a folder, and S3 (moto's)."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from moto.server import ThreadedMotoServer

from recommender import checks, conf
from recommender.diagnosis import examine
from recommender.exceptions import ArtifactError
from recommender.models import ModelVersion
from recommender.registry import object_store, retention, storage
from recommender.registry.active import ActiveVersion
from recommender.registry.object_store import ObjectStore
from recommender.registry.storage import StoredVersion
from tests.recommender.registry.conftest import ARRAYS

Write = Callable[..., StoredVersion]
Publish = Callable[[], ModelVersion]


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """Address of a local server that speaks S3."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["file", "s3"])
def store(request: pytest.FixtureRequest, settings: django_settings, tmp_path: Path) -> ObjectStore:
    if request.param == "file":
        settings.RECOMMENDER_MODEL_STORE = f"file://{tmp_path}/shared/models"
    else:
        bucket = f"bucket-{time.monotonic_ns()}"
        settings.RECOMMENDER_MODEL_STORE = f"s3://{bucket}/models"
        settings.RECOMMENDER_MODEL_STORE_OPTIONS = {
            "key": "any", "secret": "any", "endpoint_url": request.getfixturevalue("s3"), "use_listings_cache": False,
        }  # fmt: skip
        made = object_store.configured()
        assert made is not None
        made.files.mkdir(bucket)
    configured = object_store.configured()
    assert configured is not None
    return configured


@pytest.fixture
def machine(settings: django_settings, tmp_path: Path) -> Callable[[str], Path]:
    """Go to the machine of this name: another disk."""

    def machine(name: str) -> Path:
        settings.RECOMMENDER_MODEL_DIRECTORY = str(tmp_path / name)
        return tmp_path / name

    return machine


@contextmanager
def away(settings: Any) -> Iterator[None]:
    """The store does not answer meanwhile: a refused connection, or a folder that is not mounted."""
    url, options = conf.get("MODEL_STORE"), conf.get("MODEL_STORE_OPTIONS")
    if url.startswith("file:"):
        settings.RECOMMENDER_MODEL_STORE = "file:///proc/not-mounted"
    else:
        settings.RECOMMENDER_MODEL_STORE_OPTIONS = {
            **options,
            "endpoint_url": "http://127.0.0.1:9",
            "client_kwargs": {},
        }
    yield
    settings.RECOMMENDER_MODEL_STORE, settings.RECOMMENDER_MODEL_STORE_OPTIONS = url, options


def files_of(store: ObjectStore) -> list[str]:
    store.files.invalidate_cache()
    return sorted(store.files.find(store.prefix)) if store.files.exists(store.prefix) else []


def test_what_one_machine_writes_another_reads(
    store: ObjectStore, machine: Callable[[str], Path], write: Write
) -> None:
    machine("a")
    stored = write()
    there = machine("b")
    bundle = storage.load(stored.directory, stored.manifest_sha256)
    assert {name: array.tolist() for name, array in bundle.arrays.items()} == {
        name: array.tolist() for name, array in ARRAYS.items()
    }
    assert set(bundle.indexes) == {"collaborative"}
    assert [path.name for path in there.iterdir() if not path.name.startswith(".")] == [stored.directory]
    assert not any(os.access(path, os.W_OK) for path in (there / stored.directory).rglob("*.npy")) or os.geteuid() == 0


def test_what_is_here_is_not_asked_for(
    store: ObjectStore, machine: Callable[[str], Path], write: Write, settings: django_settings
) -> None:
    stored = write()
    with away(settings):
        assert storage.load(stored.directory, stored.manifest_sha256).name == "v1"


def test_a_version_that_cannot_be_sent_is_nowhere(
    store: ObjectStore, write: Write, settings: django_settings, model_directory: Path
) -> None:
    with away(settings), pytest.raises(ArtifactError, match="cannot be written in the object store") as refused:
        write()
    assert refused.value.check == "store"
    assert storage.directories() == []
    assert list(model_directory.glob(".writing-*")) == []
    assert files_of(store) == []


def test_a_version_that_is_sent_in_part_is_nowhere(
    store: ObjectStore, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = store.files.put_file

    def put_until_the_line_breaks(source: str, target: str) -> None:
        if target.endswith("known.npy"):
            raise TimeoutError("the line is dead")
        put(source, target)

    monkeypatch.setattr(store.files, "put_file", put_until_the_line_breaks)
    with pytest.raises(ArtifactError, match="the line is dead"):
        write()
    assert storage.directories() == []
    assert files_of(store) == []


def test_a_store_that_alters_what_it_is_sent_is_noticed(
    store: ObjectStore, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def put_something_else(source: str, target: str) -> None:
        store.files.pipe_file(target, b"\0" + Path(source).read_bytes()[1:])

    monkeypatch.setattr(store.files, "put_file", put_something_else)
    with pytest.raises(ArtifactError, match="was sent") as refused:
        write()
    assert refused.value.check == "store"
    assert storage.directories() == []
    assert files_of(store) == []


def test_what_the_store_has_altered_since_is_not_served(
    store: ObjectStore, machine: Callable[[str], Path], write: Write
) -> None:
    machine("a")
    stored = write()
    path = f"{store.prefix}/{stored.directory}/item_pks.npy"
    whole = store.files.cat_file(path)
    store.files.pipe_file(path, whole[:-1] + bytes([whole[-1] ^ 1]))
    machine("b")
    with pytest.raises(ArtifactError) as refused:
        storage.load(stored.directory, stored.manifest_sha256)
    assert (refused.value.file, refused.value.check) == ("item_pks.npy", "sha256")
    assert storage.directories() == []
    store.files.pipe_file(path, whole)
    assert storage.load(stored.directory, stored.manifest_sha256).name == "v1"


@pytest.mark.parametrize("damage", ["bit", "half", "gone"])
def test_a_damaged_copy_is_fetched_anew(store: ObjectStore, write: Write, model_directory: Path, damage: str) -> None:
    stored = write()
    path = model_directory / stored.directory / "item_pks.npy"
    content = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]) if damage == "bit" else content[: len(content) // 2])
    assert storage.load(stored.directory, stored.manifest_sha256).item_pks.tolist() == [11, 7, 30]
    assert path.read_bytes() == content


def test_processes_of_one_machine_fetch_once(
    store: ObjectStore, machine: Callable[[str], Path], write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine("a")
    stored = write()
    machine("b")
    fetched = []
    fetch = ObjectStore.fetch

    def counted(self: ObjectStore, directory: str, sha256: str, target: Path) -> None:
        fetched.append(directory)
        time.sleep(0.1)
        fetch(self, directory, sha256, target)

    monkeypatch.setattr(ObjectStore, "fetch", counted)
    with ThreadPoolExecutor(4) as pool:
        bundles = list(pool.map(lambda _: storage.load(stored.directory, stored.manifest_sha256), range(4)))
    assert [bundle.name for bundle in bundles] == ["v1"] * 4
    assert fetched == [stored.directory]


@pytest.mark.django_db
def test_a_machine_serves_the_old_version_while_the_store_is_away(
    store: ObjectStore, machine: Callable[[str], Path], publish: Publish, settings: django_settings
) -> None:
    machine("a")
    publish()
    machine("b")
    serving = ActiveVersion()
    first = serving.current(1)
    assert first is not None
    machine("a")
    publish()
    machine("b")
    with away(settings):
        assert serving.current(2) is first
        new = ActiveVersion()
        served = new.current(2)
        assert served is not None, "a new process finds the copy of the version before"
        assert served.name == "v1"
    serving._retry_at = time.monotonic()
    served = serving.current(2)
    assert served is not None
    assert served.name == "v2"


@pytest.mark.django_db
def test_what_nobody_needs_leaves_the_store_and_the_copies(
    store: ObjectStore, machine: Callable[[str], Path], publish: Publish, settings: django_settings
) -> None:
    settings.RECOMMENDER_VERSIONS_KEPT = 1
    machine("b")
    copies = ActiveVersion()
    for revision in range(3):
        machine("a")
        publish()
        machine("b")
        copies.current(revision)
    assert len(storage.directories()) == 3
    machine("a")
    assert retention.apply().retired == ("v1",)
    assert sorted(name.split("-")[0] for name in store.directories()) == ["v2", "v3"]
    machine("b")
    for path in storage.directories():
        os.utime(path, (0, 0))
    assert [name.split("-")[0] for name in retention.sweep_copies()] == ["v1"]
    assert [path.name.split("-")[0] for path in storage.directories()] == ["v2", "v3"]


@pytest.mark.django_db
def test_a_rebuild_is_not_undone_by_a_store_that_cannot_be_swept(
    store: ObjectStore, publish: Publish, settings: django_settings
) -> None:
    settings.RECOMMENDER_VERSIONS_KEPT = 1
    for _ in range(3):
        publish()
    with away(settings):
        assert retention.apply().retired == ("v1",)
    assert len(store.directories()) == 3
    assert len(storage.directories()) == 2


@pytest.mark.django_db
def test_doctor_says_whether_it_answers(store: ObjectStore, publish: Publish, settings: django_settings) -> None:
    publish()
    [found] = [finding for finding in examine() if finding.subject == "Object store"]
    assert (found.level, found.message) == ("ok", f"1 versions at {settings.RECOMMENDER_MODEL_STORE}")
    with away(settings):
        [found] = [finding for finding in examine() if finding.subject == "Object store"]
    if settings.RECOMMENDER_MODEL_STORE.startswith("s3:"):
        assert found.level == "error"
        assert "Serving goes on" in found.remedy


@pytest.mark.parametrize("url", ["gs://bucket/models", "nowhere://bucket"])
def test_a_store_without_its_library_is_refused_at_start(settings: django_settings, url: str) -> None:
    settings.RECOMMENDER_MODEL_STORE = url
    [message] = checks.check_model_store(None)
    assert message.id == "recommender.E007"
    assert "recsite[s3]" in message.msg
