from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import OperationalError

from catalog import revisions
from recommender.exceptions import ArtifactError, LeaseLost, ModelUnavailable
from recommender.models import ActiveModel, ModelVersion, RebuildJob
from recommender.registry import jobs, publishing
from recommender.registry.jobs import Lease
from recommender.registry.storage import StoredVersion

pytestmark = pytest.mark.django_db

Publish = Callable[[], ModelVersion]


def serving() -> str:
    pointer = publishing.pointer()
    assert pointer is not None
    return pointer.version.name


def previous() -> str | None:
    pointer = publishing.pointer()
    assert pointer is not None
    return pointer.previous and pointer.previous.name


def test_versions_are_numbered_from_the_highest() -> None:
    assert publishing.next_name() == "v1"
    for name in ("v2", "v10", "imported", "v9x", "v"):
        ModelVersion.objects.create(name=name, state="refused")
    assert publishing.next_name() == "v11"


def test_a_recorded_version_keeps_what_was_measured(
    write: Callable[..., StoredVersion], lease: Callable[[], Lease]
) -> None:
    stored = write("v1")
    publishing.record_version(
        "v1",
        stored=stored,
        fencing_token=lease().fencing_token,
        metrics={"ndcg": 0.25},
        items=3,
        users=2,
        interactions=9,
        seconds=1.5,
    )
    version = ModelVersion.objects.get(name="v1")
    assert (version.state, version.directory, version.manifest_sha256) == (
        "ready", stored.directory, stored.manifest_sha256,
    )  # fmt: skip
    assert (version.metrics, version.gate_reasons) == ({"ndcg": 0.25}, [])
    assert (version.items, version.users, version.interactions, version.seconds) == (3, 2, 9, 1.5)


def test_a_refused_version_has_reasons_and_no_files(lease: Callable[[], Lease]) -> None:
    token = lease().fencing_token
    version = publishing.record_version(
        "v1", stored=None, fencing_token=token, metrics={}, gate_reasons=["ndcg 0.1 < 0.2"]
    )
    assert (version.state, version.directory, version.gate_reasons) == ("refused", "", ["ndcg 0.1 < 0.2"])
    with pytest.raises(ArtifactError):
        publishing.publish(version, fencing_token=token)
    assert publishing.pointer() is None


def test_the_first_publication_makes_the_pointer(publish: Publish) -> None:
    publish()
    assert (serving(), previous()) == ("v1", None)


def test_publishing_moves_the_pointer_and_remembers(publish: Publish) -> None:
    publish()
    before = publishing.pointer()
    publish()
    after = publishing.pointer()
    assert (serving(), previous()) == ("v2", "v1")
    assert ActiveModel.objects.count() == 1
    assert before is not None
    assert after is not None
    assert after.published_at > before.published_at


def test_publishing_raises_and_announces_the_revision(
    publish: Publish, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    old = revisions.from_database()[revisions.MODEL]
    with django_capture_on_commit_callbacks(execute=True) as callbacks:  # type: ignore[attr-defined]
        publish()
    assert revisions.from_database()[revisions.MODEL] > old
    assert len(callbacks) == 1


def test_of_two_publishers_the_late_one_is_refused(record: Publish) -> None:
    slow_version, quick_version = record(), record()
    slow, quick = claim_twice()
    publishing.publish(quick_version, fencing_token=quick.fencing_token)
    with pytest.raises(LeaseLost, match=f"rebuild {quick.fencing_token} is the newest"):
        publishing.publish(slow_version, fencing_token=slow.fencing_token)
    assert (serving(), previous()) == ("v2", None)


def test_the_late_one_is_refused_before_the_newer_has_published_too(record: Publish) -> None:
    version = record()
    slow, quick = claim_twice()
    with pytest.raises(LeaseLost):
        publishing.publish(version, fencing_token=slow.fencing_token)
    assert publishing.pointer() is None
    publishing.publish(version, fencing_token=quick.fencing_token)
    assert serving() == "v1"


def test_the_late_one_cannot_even_enter_its_version(write: Callable[..., StoredVersion]) -> None:
    slow, _ = claim_twice()
    with pytest.raises(LeaseLost):
        publishing.record_version("v1", stored=write(), fencing_token=slow.fencing_token, metrics={})
    assert not ModelVersion.objects.exists()


def test_a_retired_version_cannot_be_published(record: Publish, lease: Callable[[], Lease]) -> None:
    version = record()
    ModelVersion.objects.update(state="retired")
    with pytest.raises(ModelUnavailable, match="v1 is files removed; only a ready version can serve"):
        publishing.publish(version, fencing_token=lease().fencing_token)
    assert publishing.pointer() is None


def test_publishing_again_changes_nothing(publish: Publish, lease: Callable[[], Lease]) -> None:
    publish()
    version = publish()
    publishing.publish(version, fencing_token=lease().fencing_token)
    assert (serving(), previous()) == ("v2", "v1")


@pytest.mark.parametrize("method", ["save", "refresh_from_db"])
def test_a_publisher_that_dies_in_the_transaction_leaves_the_old(
    publish: Publish, record: Publish, lease: Callable[[], Lease], monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    publish()
    version = record()
    token = lease().fencing_token

    def die(*arguments: object, **keywords: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patch:
        patch.setattr(ActiveModel if method == "save" else ModelVersion, method, die)
        with pytest.raises(OperationalError):
            publishing.publish(version, fencing_token=token)
    assert (serving(), previous()) == ("v1", None)
    publishing.publish(version, fencing_token=token)
    assert (serving(), previous()) == ("v2", "v1")


def test_rolling_back_twice_goes_back_twice(publish: Publish) -> None:
    for _ in range(3):
        publish()
    assert publishing.rollback().name == "v2"
    assert serving() == "v2"
    assert publishing.rollback().name == "v1"
    assert serving() == "v1"
    with pytest.raises(ModelUnavailable, match="no ready version older than v1"):
        publishing.rollback()
    assert serving() == "v1"


def test_rolling_back_goes_to_what_served_before_not_to_the_one_built_before(publish: Publish) -> None:
    for _ in range(3):
        publish()
    publishing.rollback("v1")
    publish()
    assert publishing.rollback().name == "v1"


def test_a_named_version_can_be_rolled_back_to_and_from(publish: Publish) -> None:
    for _ in range(3):
        publish()
    assert publishing.rollback("v1").name == "v1"
    assert (serving(), previous()) == ("v1", "v3")
    assert publishing.rollback().name == "v3"


def test_the_next_rebuild_publishes_over_a_rollback(publish: Publish) -> None:
    publish()
    publish()
    publishing.rollback()
    publish()
    assert (serving(), previous()) == ("v3", "v1")


def test_rolling_back_skips_a_previous_version_whose_files_are_gone(publish: Publish) -> None:
    for _ in range(3):
        publish()
    ModelVersion.objects.filter(name="v2").update(state="retired")
    assert publishing.rollback().name == "v1"


def test_rolling_back_to_a_damaged_version_is_refused(publish: Publish, model_directory: Path) -> None:
    old = publish()
    publish()
    shutil.rmtree(model_directory / old.directory)
    with pytest.raises(ArtifactError):
        publishing.rollback()
    assert (serving(), previous()) == ("v2", "v1")


def test_rolling_back_to_an_unknown_version_names_the_ready_ones(publish: Publish) -> None:
    publish()
    publish()
    with pytest.raises(ModelUnavailable, match="no ready version 'v7'; ready: v2, v1"):
        publishing.rollback("v7")
    assert serving() == "v2"


def test_what_was_decided_while_another_version_served_is_refused(publish: Publish) -> None:
    for _ in range(3):
        publish()
    for to in (None, "v1"):
        with pytest.raises(ModelUnavailable, match="v3 serves by now, no longer v2: look again"):
            publishing.rollback(to, seen="v2")
    with pytest.raises(ModelUnavailable, match="v3 serves by now, no longer none"):
        publishing.rollback("v1", seen="")
    assert (serving(), previous()) == ("v3", "v2")
    assert publishing.rollback("v1", seen="v3").name == "v1"


def test_there_is_nothing_to_roll_back_before_the_first_publication() -> None:
    with pytest.raises(ModelUnavailable, match="nothing to go back to"):
        publishing.rollback()


def claim_twice() -> tuple[Lease, Lease]:
    """Return the leases of a rebuild that hung and of the one that took over."""
    RebuildJob.objects.all().delete()
    slow = jobs.claim("slow", seconds=-1)
    quick = jobs.claim("quick")
    assert isinstance(slow, Lease)
    assert isinstance(quick, Lease)
    return slow, quick
