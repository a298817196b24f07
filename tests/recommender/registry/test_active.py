from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import OperationalError
from prometheus_client import REGISTRY

from recommender.exceptions import ArtifactError
from recommender.models import ActiveModel, ModelVersion
from recommender.registry import active, publishing, storage
from recommender.registry.artifacts import Bundle

pytestmark = pytest.mark.django_db

Publish = Callable[[], ModelVersion]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Monotonic seconds as `active` sees them; change the one element."""
    now = [1000.0]
    monkeypatch.setattr(active.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the directories that were opened, in order."""
    opened: list[str] = []
    load = storage.load

    def counted(directory: str, manifest_sha256: str) -> Bundle:
        opened.append(directory)
        return load(directory, manifest_sha256)

    monkeypatch.setattr(storage, "load", counted)
    return opened


def name_of(bundle: Bundle | None) -> str | None:
    return bundle and bundle.name


def failures(reason: str) -> float:
    return REGISTRY.get_sample_value("recommender_model_load_failures_total", {"reason": reason}) or 0.0


def test_before_the_first_publication_there_is_none() -> None:
    assert active.current(1) is None


def test_one_bundle_serves_until_the_revision_moves(
    publish: Publish, django_assert_num_queries: Callable[[int], object]
) -> None:
    publish()
    with django_assert_num_queries(1):  # type: ignore[attr-defined]
        bundle = active.current(1)
    assert name_of(bundle) == "v1"
    publish()
    with django_assert_num_queries(0):  # type: ignore[attr-defined]
        assert active.current(1) is bundle
    with django_assert_num_queries(1):  # type: ignore[attr-defined]
        assert name_of(active.current(2)) == "v2"


def test_a_moved_revision_with_the_same_pointer_loads_nothing(publish: Publish, loads: list[str]) -> None:
    publish()
    bundle = active.current(1)
    del loads[:]
    assert active.current(2) is bundle
    assert loads == []


def test_a_rollback_swaps_back(publish: Publish) -> None:
    publish()
    publish()
    assert name_of(active.current(2)) == "v2"
    publishing.rollback()
    assert name_of(active.current(3)) == "v1"


def test_a_request_goes_on_with_the_bundle_it_has(publish: Publish, model_directory: Path) -> None:
    old = publish()
    bundle = active.current(1)
    publish()
    active.current(2)
    shutil.rmtree(model_directory / old.directory)
    assert bundle is not None
    assert bundle.item_pks.tolist() == [11, 7, 30]


def test_a_removed_pointer_takes_the_model_away(publish: Publish) -> None:
    publish()
    active.current(1)
    ActiveModel.objects.all().delete()
    assert active.current(2) is None


def test_a_broken_version_is_counted_and_not_retried_at_once(
    publish: Publish, model_directory: Path, clock: list[float], loads: list[str]
) -> None:
    publish()
    old = active.current(1)
    broken = publish()
    (model_directory / broken.directory / "item_pks.npy").unlink()
    before = failures("missing")
    del loads[:]
    for _ in range(5):
        assert active.current(2) is old
    assert loads == [broken.directory]
    assert failures("missing") == before + 1
    clock[0] += 29.9
    assert active.current(2) is old
    assert loads == [broken.directory]
    clock[0] += 0.2
    assert active.current(2) is old
    assert loads == [broken.directory] * 2


def test_a_mended_version_is_picked_up_after_the_pause(
    publish: Publish, model_directory: Path, clock: list[float], loads: list[str]
) -> None:
    publish()
    active.current(1)
    directory = model_directory / publish().directory
    directory.rename(directory.with_name("away"))
    assert name_of(active.current(2)) == "v1"
    directory.with_name("away").rename(directory)
    clock[0] += 31
    assert name_of(active.current(2)) == "v2"
    del loads[:]
    clock[0] += 31
    assert name_of(active.current(2)) == "v2"
    assert loads == []


def test_a_new_revision_is_tried_at_once(publish: Publish, model_directory: Path, clock: list[float]) -> None:
    publish()
    active.current(1)
    shutil.rmtree(model_directory / publish().directory)
    assert name_of(active.current(2)) == "v1"
    publish()
    assert name_of(active.current(3)) == "v3"


def test_a_process_starting_on_a_broken_version_takes_the_newest_that_loads(
    publish: Publish, record: Publish, model_directory: Path, loads: list[str]
) -> None:
    publish()
    good = publish()
    damaged = publish()
    broken = publish()
    ModelVersion.objects.create(name="v5", state="refused")
    shutil.rmtree(model_directory / damaged.directory)
    shutil.rmtree(model_directory / broken.directory)
    del loads[:]
    assert name_of(active.current(1)) == "v2"
    assert loads == [broken.directory, damaged.directory, good.directory]


def test_a_process_starting_with_nothing_that_loads_has_none_and_tries_again(
    publish: Publish, model_directory: Path, clock: list[float]
) -> None:
    directory = model_directory / publish().directory
    directory.rename(directory.with_name("away"))
    assert active.current(1) is None
    directory.with_name("away").rename(directory)
    assert active.current(1) is None
    clock[0] += 31
    assert name_of(active.current(1)) == "v1"


def test_an_unreadable_pointer_keeps_the_old_and_is_read_again(
    publish: Publish, monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    publish()
    old = active.current(1)
    publish()

    def away() -> None:
        raise OperationalError("connection refused")

    before = failures("database")
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "pointer", away)
        assert active.current(2) is old
    assert failures("database") == before + 1
    assert active.current(2) is old
    clock[0] += 31
    assert name_of(active.current(2)) == "v2"


def test_a_programming_error_is_not_swallowed_and_does_not_keep_the_lock(
    publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish()

    def broken(directory: str, manifest_sha256: str) -> Bundle:
        raise TypeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(storage, "load", broken)
        with pytest.raises(TypeError, match="a bug"):
            active.current(1)
    assert name_of(active.current(1)) == "v1"


def test_while_one_thread_loads_the_others_go_on_with_the_old(
    publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish()
    old = active.current(1)
    version = publish()
    pointer = publishing.pointer()
    bundle = storage.load(version.directory, version.manifest_sha256)
    loading, may_end = threading.Event(), threading.Event()
    loads = []

    def slow(directory: str, manifest_sha256: str) -> Bundle:
        loads.append(directory)
        loading.set()
        assert may_end.wait(30)
        return bundle

    monkeypatch.setattr(publishing, "pointer", lambda: pointer)
    monkeypatch.setattr(storage, "load", slow)
    thread = threading.Thread(target=active.current, args=(2,))
    thread.start()
    assert loading.wait(30)
    assert [active.current(2) for _ in range(3)] == [old, old, old]
    may_end.set()
    thread.join()
    assert active.current(2) is bundle
    assert loads == [version.directory]


def test_all_threads_wait_for_a_process_first_load_and_it_happens_once(
    publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = publish()
    pointer = publishing.pointer()
    bundle = storage.load(version.directory, version.manifest_sha256)
    started = threading.Barrier(5)
    loads = []

    def load(directory: str, manifest_sha256: str) -> Bundle:
        loads.append(directory)
        # Long enough for the others to ask meanwhile.
        time.sleep(0.2)
        return bundle

    monkeypatch.setattr(publishing, "pointer", lambda: pointer)
    monkeypatch.setattr(storage, "load", load)
    found: list[Bundle | None] = []

    def request() -> None:
        started.wait()
        found.append(active.current(1))

    threads = [threading.Thread(target=request) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [bundle] * 5
    assert loads == [version.directory]


def test_a_failed_load_names_the_version_in_the_log(
    publish: Publish, model_directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(model_directory / publish().directory)
    active.current(1)
    assert "model version v1 cannot be loaded: manifest.json: cannot be read" in caplog.text


def test_every_artifact_error_says_which_check_failed() -> None:
    error = ArtifactError("x.npy: is wrong.", file="x.npy", check="shape")
    assert (error.file, error.check, str(error)) == ("x.npy", "shape", "x.npy: is wrong.")
