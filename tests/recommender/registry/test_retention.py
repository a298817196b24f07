from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection

from experiments import lifecycle
from experiments.models import Experiment, Metric, Variant
from recommender.exceptions import ArtifactError, ModelUnavailable
from recommender.models import ModelVersion
from recommender.registry import active, publishing, retention, storage
from recommender.registry.artifacts import Bundle
from recommender.registry.jobs import Lease
from recommender.registry.storage import StoredVersion

Publish = Callable[[], ModelVersion]


def on_disk() -> list[str]:
    """Return the names of the versions whose files exist."""
    return [path.name.split("-")[0] for path in storage.directories()]


def states() -> dict[str, str]:
    return dict(ModelVersion.objects.order_by("pk").values_list("name", "state"))


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


@pytest.mark.django_db
def test_the_newest_three_stay(publish: Publish) -> None:
    for _ in range(5):
        publish()
    assert retention.apply() == retention.Removed(retired=("v2", "v1"), orphans=())
    assert on_disk() == ["v3", "v4", "v5"]
    assert states() == {"v1": "retired", "v2": "retired", "v3": "ready", "v4": "ready", "v5": "ready"}


@pytest.mark.django_db
def test_nothing_is_removed_twice_or_too_early(publish: Publish) -> None:
    for _ in range(3):
        publish()
    assert retention.apply() == retention.Removed(retired=(), orphans=())
    publish()
    assert retention.apply().retired == ("v1",)
    assert retention.apply().retired == ()


@pytest.mark.django_db
def test_how_many_stay_is_a_setting(publish: Publish, settings: django_settings) -> None:
    settings.RECOMMENDER_VERSIONS_KEPT = 1
    for _ in range(4):
        publish()
    assert retention.apply().retired == ("v2", "v1")
    assert on_disk() == ["v3", "v4"]


@pytest.mark.django_db
def test_the_active_and_the_previous_version_stay_however_old(publish: Publish, record: Publish) -> None:
    publish()
    publish()
    publishing.rollback("v1")
    for _ in range(4):
        record()
    assert retention.apply().retired == ("v3",)
    assert on_disk() == ["v1", "v2", "v4", "v5", "v6"]
    assert active.current(1) is not None


@pytest.mark.django_db
def test_a_version_stays_while_an_experiment_tries_it(publish: Publish) -> None:
    for _ in range(5):
        publish()
    metric = Metric.objects.create(name="watches", event_type="watch")
    experiment = Experiment.objects.create(experiment_id="old", name="The first one", primary_metric=metric)
    Variant.objects.create(experiment=experiment, name="control", position=0)
    Variant.objects.create(experiment=experiment, name="first", position=1, configuration={"model_version": "v1"})
    lifecycle.start("old")
    assert retention.apply().retired == ("v2",)
    assert on_disk() == ["v1", "v3", "v4", "v5"]
    lifecycle.stop("old")
    assert retention.apply().retired == ("v1",)


@pytest.mark.django_db
def test_refused_versions_do_not_count(publish: Publish) -> None:
    for _ in range(3):
        publish()
    for name in ("v4", "v5", "v6"):
        ModelVersion.objects.create(name=name, state="refused")
    assert retention.apply().retired == ()
    assert on_disk() == ["v1", "v2", "v3"]


@pytest.mark.django_db
def test_directories_nobody_owns_go_after_an_hour(publish: Publish, write: Callable[..., StoredVersion]) -> None:
    publish()
    old, young = write("v2").directory, write("v2").directory
    age(storage.root() / old, 3601)
    assert retention.apply() == retention.Removed(retired=(), orphans=(old,))
    assert sorted(path.name for path in storage.directories())[1:] == [young]


@pytest.mark.django_db
def test_a_removal_that_died_half_way_is_finished(publish: Publish) -> None:
    version = publish()
    publish()
    ModelVersion.objects.filter(pk=version.pk).update(state="retired")
    age(storage.root() / version.directory, 3601)
    assert retention.apply().orphans == (version.directory,)
    assert on_disk() == ["v2"]


@pytest.mark.django_db
def test_an_old_directory_of_a_ready_version_stays(publish: Publish) -> None:
    version = publish()
    age(storage.root() / version.directory, 10**7)
    assert retention.apply().orphans == ()
    assert on_disk() == ["v1"]


@pytest.mark.django_db
def test_what_is_not_a_version_is_never_touched(model_directory: Path, publish: Publish) -> None:
    publish()
    for name in ("notes", "v1", "v1-xyz", ".hidden-00000000"):
        (model_directory / name).mkdir()
        age(model_directory / name, 10**7)
    (model_directory / "v9-00000000").write_text("a file")
    age(model_directory / "v9-00000000", 10**7)
    retention.apply()
    remaining = {path.name for path in model_directory.iterdir()}
    assert {"notes", "v1", "v1-xyz", ".hidden-00000000", "v9-00000000"} < remaining


@pytest.mark.django_db
def test_dead_writers_are_swept(model_directory: Path, publish: Publish) -> None:
    publish()
    (model_directory / ".writing-dead").mkdir()
    retention.apply()
    assert not (model_directory / ".writing-dead").exists()


@pytest.mark.usefixtures("committed")
def test_a_version_being_rolled_back_to_is_kept_or_refused_but_never_active_without_files(
    publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Retention decides between the roll-back's read of the old version and its move of the pointer."""
    for _ in range(5):
        publish()
    load = storage.load

    def load_then_retire(directory: str, manifest_sha256: str) -> Bundle:
        bundle = load(directory, manifest_sha256)

        def retire() -> None:
            try:
                retention.apply()
            finally:
                connection.close()

        thread = threading.Thread(target=retire)
        thread.start()
        thread.join()
        return bundle

    with monkeypatch.context() as patch:
        patch.setattr(storage, "load", load_then_retire)
        with pytest.raises(ModelUnavailable, match="v1 is files removed"):
            publishing.rollback("v1")
    pointer = publishing.pointer()
    assert pointer is not None
    assert pointer.version.name == "v5"
    assert on_disk() == ["v3", "v4", "v5"]


@pytest.mark.usefixtures("committed")
def test_publishing_rolling_back_and_retention_at_once_never_lose_the_active_files(
    record: Publish, lease: Callable[[], Lease], settings: django_settings
) -> None:
    settings.RECOMMENDER_VERSIONS_KEPT = 1
    versions = [record() for _ in range(6)]
    token = lease().fencing_token
    publishing.publish(versions[0], fencing_token=token)

    def repeat(step: Callable[[], object]) -> None:
        """Versions may vanish before they are read or moved to: then the pointer has not moved."""
        try:
            for _ in range(8):
                with suppress(ModelUnavailable, ArtifactError):
                    step()
        finally:
            connection.close()

    def publish_some() -> None:
        for version in versions[1:4]:
            publishing.publish(version, fencing_token=token)

    steps = [retention.apply, publish_some, lambda: publishing.rollback(versions[0].name)]
    with ThreadPoolExecutor(len(steps)) as pool:
        for future in [pool.submit(repeat, step) for step in steps]:
            future.result()
    pointer = publishing.pointer()
    assert pointer is not None
    assert pointer.version.state == "ready"
    assert storage.load(pointer.version.directory, pointer.version.manifest_sha256).name == pointer.version.name
