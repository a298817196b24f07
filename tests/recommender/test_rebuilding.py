"""Whole rebuilds on a tiny database: published, refused, forced, without events, without items, without the lease."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from catalog.models import Item
from interactions.recording import EventInput, record
from recommender import conf, rebuild_requests, rebuilding, serving, tasks
from recommender.exceptions import ArtifactError, NotEnoughData
from recommender.models import ModelVersion, RebuildJob
from recommender.registry import jobs, publishing, storage
from recommender.registry.jobs import Lease
from recommender.training import content
from tests.recommender.conftest import Commit
from tests.recommender.film_site import ids

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("models")]

ITEMS = 24
USERS = 16
LENGTH = 10


def create_items() -> None:
    for number in range(ITEMS):
        genre = "crime" if number < ITEMS // 2 else "comedy"
        Item.objects.create(item_id=f"{genre} {number}", title=f"{genre} {number}", category=genre, tags=[genre])


def take(histories: Iterable[tuple[str, Iterable[int]]]) -> None:
    """Record that each user watched these items, one a minute."""
    item_ids = list(Item.objects.order_by("id").values_list("item_id", flat=True))
    start = timezone.now() - timedelta(days=1)
    events = [
        EventInput(
            user_id=user, item_id=item_ids[item], event_type="watch", occurred_at=start + timedelta(minutes=minute)
        )
        for user, items in histories
        for minute, item in enumerate(items)
    ]
    assert {verdict.status for verdict in record(events)} == {"accepted"}


def two_tastes() -> Iterable[tuple[str, list[int]]]:
    """Yield users who take ten films of their own genre, each beginning elsewhere."""
    half = ITEMS // 2
    for user in range(USERS):
        yield f"user {user}", [(user % 2) * half + (user // 2 + step) % half for step in range(LENGTH)]


def no_taste() -> Iterable[tuple[str, list[int]]]:
    random = np.random.default_rng(4)
    for user in range(USERS):
        yield f"user {user}", random.permutation(ITEMS)[:LENGTH].tolist()


def serving_version() -> str:
    pointer = publishing.pointer()
    assert pointer is not None
    return pointer.version.name


def test_a_build_is_published_a_worse_one_refused_and_forced(commit: Commit, models: Path) -> None:
    with commit():
        create_items()
        take(two_tastes())
    stages: list[str] = []
    with commit():
        first = rebuilding.rebuild("test", progress=stages.append)

    assert (first.published, first.reasons) == (True, [])
    assert stages[0] == "reading"
    assert stages[-1] == "publishing"
    assert "ranking: measuring" in stages
    version = ModelVersion.objects.get()
    assert first.version == version
    assert (version.name, version.state, version.gate_reasons) == ("v1", "ready", [])
    assert (version.items, version.users, version.interactions) == (ITEMS, USERS, USERS * LENGTH)
    assert version.metrics == first.metrics
    # Two of each user's ten were held out; his genre leaves him four films to choose from.
    assert first.metrics["held_out"] == 2 * USERS
    assert first.metrics["final"]["users"] == USERS
    assert first.metrics["final"]["recall"] == 1.0
    assert set(first.metrics["sources"]) == {
        "item_to_item", "item_to_item_balanced", "next_items", "session", "random_walk", "collaborative", "content",
        "popular",
    }  # fmt: skip
    assert set(first.metrics["reports"]) == {"final", *first.metrics["sources"]}
    assert first.metrics["reports"]["final"]["accuracy"]["recall"] == {"mean": 1.0, "low": 1.0, "high": 1.0}
    assert first.metrics["index_recall"] == {"content": 1.0, "collaborative": 1.0, "collaborative_items": 1.0}
    job = RebuildJob.objects.get()
    assert (job.state, job.version, job.reason) == ("done", version, "test")
    assert [stage["stage"] for stage in job.stages] == [stage for stage in stages if not stage.endswith("%)")]
    bundle = storage.load(version.directory, version.manifest_sha256)
    assert bundle.meta["metrics"] == first.metrics
    made = serving.recommend("user 0", limit=2)
    assert (made.model_version, made.fallback) == ("v1", False)
    assert {item.card.category for item in made.items} == {"crime"}

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM interactions_event")
    with commit():
        take(no_taste())
        second = rebuilding.rebuild("test")
    refused = ModelVersion.objects.get(name="v2")
    before, after = first.metrics["final"]["ndcg"], second.metrics["final"]["ndcg"]
    assert second.published is False
    assert f"NDCG@10 {after:.4f} is below 0.9 × the active version's {before:.4f}" in second.reasons
    assert (refused.state, refused.directory, refused.gate_reasons) == ("refused", "", second.reasons)
    assert [path.name for path in models.iterdir()] == [version.directory]
    assert serving_version() == "v1"
    assert serving.recommend("user 0").model_version == "v1"

    with commit():
        forced = rebuilding.rebuild("test", force=True)
    assert forced.published is True
    assert forced.reasons == ModelVersion.objects.get(name="v3").gate_reasons == second.reasons
    assert serving_version() == "v3"
    assert serving.recommend("user 0").model_version == "v3"


def test_without_events_a_model_of_the_content_serves(commit: Commit) -> None:
    with commit():
        create_items()
        built = rebuilding.rebuild("test")
    assert (built.published, built.reasons, set(built.metrics)) == (True, [], {"index_recall"})
    popular = serving.recommend("ann")
    assert (popular.fallback, popular.fallback_reason, popular.model_version) == (True, "unknown_user", "v1")
    assert len(popular.items) == 20
    similar = serving.similar_to("crime 0", limit=5)
    assert similar.fallback is False
    assert {item.card.category for item in similar.items} == {"crime"}
    # The first event of a new site is personal at once, by content alone.
    with commit():
        take([("ann", [ITEMS - 1])])
    personal = serving.recommend("ann", limit=5)
    assert personal.fallback is False
    assert {item.card.category for item in personal.items} == {"comedy"}
    assert personal.items[0].reason == f"Because you watched comedy {ITEMS - 1}"


def test_events_that_vanish_are_no_reason_to_publish_less(commit: Commit) -> None:
    with commit():
        create_items()
        take(two_tastes())
        rebuilding.rebuild("test")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM interactions_event")
    built = rebuilding.rebuild("test")
    assert (built.published, built.reasons) == (
        False, ["nothing could be measured although the active version was (there are no events)"],
    )  # fmt: skip
    assert serving_version() == "v1"


def test_an_empty_catalogue_says_what_to_do() -> None:
    message = r"^The catalogue is empty: import items first \(manage\.py import_dataset\)\.$"
    with pytest.raises(NotEnoughData, match=message):
        rebuilding.rebuild("test")
    job = RebuildJob.objects.get()
    assert job.state == "failed"
    assert job.error.startswith("NotEnoughData: The catalogue is empty")
    assert not ModelVersion.objects.exists()
    with pytest.raises(CommandError, match=message):
        call_command("rebuild_models")


def test_who_does_not_get_the_lease_is_told_who_has_it() -> None:
    create_items()
    held = jobs.claim("schedule")
    assert isinstance(held, Lease)
    held.heartbeat("session")
    built = rebuilding.rebuild("test")
    until = f"{RebuildJob.objects.get().leased_until:%T}"
    reason = f"rebuild {held.fencing_token} (schedule) is at session; its lease runs to {until}"
    assert (built.version, built.published, built.reasons) == (None, False, [reason])
    assert RebuildJob.objects.count() == 1
    assert tasks.rebuild_models() == f"not published: {reason}"
    with pytest.raises(CommandError, match=r"^Not published: rebuild \d+ \(schedule\) is at session; .*\.$"):
        call_command("rebuild_models")


@pytest.mark.parametrize("failing", ["train", "write", "publish"])
def test_a_failure_on_the_way_leaves_the_old_version_serving(
    commit: Commit, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    with commit():
        create_items()
        rebuilding.rebuild("test")

    def fail(*arguments: Any, **keywords: Any) -> None:
        raise ArtifactError("the disk is full", file="x", check="write")

    where = {"train": (content, "fit"), "write": (storage, "write"), "publish": (publishing, "publish")}[failing]
    monkeypatch.setattr(*where, fail)
    with pytest.raises(ArtifactError, match="the disk is full"):
        rebuilding.rebuild("test")
    monkeypatch.undo()
    assert serving_version() == "v1"
    job = RebuildJob.objects.first()
    assert job is not None
    assert (job.state, job.error) == ("failed", "ArtifactError: the disk is full")
    # The next rebuild does not wait for the lease of the one that failed.
    with commit():
        assert rebuilding.rebuild("test").published
    assert serving_version() != "v1"


def test_a_rebuild_that_is_overtaken_publishes_nothing(commit: Commit, monkeypatch: pytest.MonkeyPatch) -> None:
    with commit():
        create_items()
        rebuilding.rebuild("test")
    written = storage.write

    def overtaken(*arguments: Any, **keywords: Any) -> Any:
        RebuildJob.objects.filter(state="running").update(leased_until=timezone.now() - timedelta(seconds=1))
        assert isinstance(jobs.claim("other"), Lease)
        return written(*arguments, **keywords)

    monkeypatch.setattr(storage, "write", overtaken)
    with pytest.raises(rebuilding.jobs.LeaseLost):
        rebuilding.rebuild("test")
    assert serving_version() == "v1"
    assert list(ModelVersion.objects.values_list("name", flat=True)) == ["v1"]


def test_the_task_says_what_became_of_it(commit: Commit) -> None:
    with commit():
        create_items()
        assert tasks.rebuild_models("schedule") == "published v1"
    assert tasks.resume_rebuild() == "nothing to resume"
    RebuildJob.objects.create(reason="dead", leased_until=timezone.now() - timedelta(seconds=1))
    with commit():
        assert tasks.resume_rebuild() == "published v2"
    newest = RebuildJob.objects.first()
    assert newest is not None
    assert (newest.attempt, newest.state) == (2, "done")


def test_what_is_to_be_tried_first_is_ready_and_serves_nobody(commit: Commit) -> None:
    with commit():
        create_items()
        rebuilding.rebuild("test")
        rebuild_requests.ask(None, publishes=False)
        built = rebuilding.rebuild("schedule")
    assert built.version is not None
    assert (built.published, built.reasons) == (False, ["v2 is held back, to be tried first"])
    assert (built.version.state, built.version.gate_reasons, serving_version()) == ("ready", [], "v1")
    # Only that one.
    with commit():
        assert rebuilding.rebuild("schedule").published
    assert serving_version() == "v3"


def test_the_command_prints_what_was_measured(commit: Commit, capsys: pytest.CaptureFixture[str]) -> None:
    with commit():
        create_items()
        take(two_tastes())
        call_command("rebuild_models")
    printed = capsys.readouterr().out
    version = ModelVersion.objects.get()
    assert f"{version.metrics['final']['ndcg']:.4f}" in printed
    assert f"{USERS * LENGTH} interactions of {USERS} users with {ITEMS} items" in printed
    assert "gate: passed" in printed
    assert "published v1" in printed
    assert ids(serving.recommend("user 1", limit=1))[0].startswith("comedy")


def test_the_sample_of_users_is_the_same_each_time(settings: Any, commit: Commit) -> None:
    settings.RECOMMENDER_TUNING = {**conf.get("TUNING"), "ranked_users": 5}
    with commit():
        create_items()
        take(two_tastes())
        first = rebuilding.rebuild("test")
        second = rebuilding.rebuild("test")
    assert first.metrics["final"]["users"] == 5
    assert second.metrics["final"] == first.metrics["final"]
