"""A trial changes no answer, whatever becomes of it, and says what it would have answered."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from interactions import features
from interactions.erasure import erase_user
from interactions.models import UserProfile
from recommender import serving
from recommender.contracts import RecommendationList
from recommender.models import ModelVersion, Shadow, ShadowList
from recommender.registry import active, publishing, retention
from recommender.shadowing import comparing, opened, switch
from tests.recommender.film_site import FilmSite, ids


@pytest.fixture
def other(site: FilmSite, monkeypatch: pytest.MonkeyPatch) -> ModelVersion:
    """Return v2, which takes thief for nearest to heat where v1, which serves, takes ronin; ann has watched heat."""
    monkeypatch.setattr(site, "pairs", {("heat", "thief"): 0.9, ("heat", "ronin"): 0.2})
    with site.commit():
        version = site.publish()
        publishing.rollback("v1")
    site.does("ann", ("watch", "heat"))
    return version


def start(site: FilmSite, version: ModelVersion, percent: int = 100) -> Shadow:
    with site.commit():
        return switch.start(version, percent, None)


def answer(made: RecommendationList) -> list[tuple[Any, ...]]:
    return [(item.item_id, item.score, item.reason, item.source, item.propensity) for item in made.items]


def test_the_list_is_made_a_second_time_and_nobody_sees_it(site: FilmSite, other: ModelVersion) -> None:
    alone = serving.recommend("ann", limit=2)
    trial = start(site, other)
    with_shadow = serving.recommend("ann", limit=3)
    assert with_shadow.model_version == "v1"
    assert answer(with_shadow)[:2] == answer(alone)
    kept = ShadowList.objects.get()
    assert (kept.shadow, kept.request_id, kept.user_id) == (trial, with_shadow.request_id, "ann")
    assert kept.placement == with_shadow.placement
    assert kept.live_items == [site.pks[item_id] for item_id in ids(with_shadow)]
    assert ids(with_shadow)[0] == "ronin"
    assert kept.shadow_items[0] == site.pks["thief"]
    assert (kept.live_fallback, kept.shadow_fallback) == (False, False)
    assert 0 < kept.overlap <= 1
    assert 0 < kept.rank_biased_overlap < 1
    assert kept.live_ms > 0
    assert kept.shadow_ms > 0
    trial.refresh_from_db()
    assert (trial.dropped, trial.failed, trial.error) == (0, 0, "")


def test_a_list_shown_again_from_memory_is_not_made_again(site: FilmSite, other: ModelVersion) -> None:
    start(site, other)
    for _ in range(3):
        serving.recommend("ann")
    # The first read of a user is not kept.
    assert ShadowList.objects.count() == 2


def test_only_the_chosen_users_are_compared(site: FilmSite, other: ModelVersion) -> None:
    trial = start(site, other, percent=0)
    serving.recommend("ann")
    assert not ShadowList.objects.exists()
    with site.commit():
        switch.start(other, 100, None)
    serving.recommend("ann")
    assert [one.shadow for one in ShadowList.objects.all()] == [trial]


def test_nobody_without_consent_and_no_preview_is_compared(site: FilmSite, other: ModelVersion) -> None:
    start(site, other)
    serving.recommend("ann", record=False)
    serving.recommend("ann", explain=True)
    serving.recommend("")
    with site.commit():
        UserProfile.objects.update(consent=UserProfile.Consent.WITHHELD)
    features.forget(["ann"])
    serving.recommend("ann")
    assert not ShadowList.objects.exists()


def test_it_stops_on_the_next_request_and_frees_its_memory(site: FilmSite, other: ModelVersion) -> None:
    start(site, other)
    serving.recommend("ann")
    assert opened._held is not None
    with site.commit():
        switch.stop()
    serving.recommend("ann", limit=4)
    assert ShadowList.objects.count() == 1
    assert opened._held is None


def test_a_shadow_that_comes_to_serve_is_not_compared_with_itself(site: FilmSite, other: ModelVersion) -> None:
    start(site, other)
    with site.commit():
        publishing.rollback("v2")
    assert serving.recommend("ann").model_version == "v2"
    assert not ShadowList.objects.exists()


def test_missing_files_are_told_and_serving_goes_on(
    site: FilmSite, other: ModelVersion, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = serving.recommend("ann", limit=2)
    trial = start(site, other)
    shutil.rmtree(models / other.directory)
    reads: list[str] = []
    load = opened.storage.load
    monkeypatch.setattr(opened.storage, "load", lambda *asked: (reads.append(asked[0]), load(*asked))[1])
    assert answer(serving.recommend("ann", limit=3))[:2] == answer(alone)
    assert answer(serving.recommend("ann", limit=4))[:2] == answer(alone)
    trial.refresh_from_db()
    assert (trial.failed, trial.dropped) == (2, 0)
    assert trial.error.startswith("manifest.json: ")
    assert trial.failed_at is not None
    assert not ShadowList.objects.exists()
    # Not tried again with each list.
    assert reads == [other.directory]


def test_a_failure_while_a_list_is_made_is_its_own(
    site: FilmSite, other: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = start(site, other)

    def broken(*asked: Any) -> Any:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(comparing, "overlap", broken)
    assert ids(serving.recommend("ann", limit=3))[0] == "ronin"
    monkeypatch.undo()
    trial.refresh_from_db()
    assert (trial.failed, trial.error) == (1, "ZeroDivisionError: by zero")


def test_what_comes_too_quick_is_dropped_and_counted(
    site: FilmSite, other: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = start(site, other)
    before = comparing.DROPPED._value.get()
    with monkeypatch.context() as busy:
        busy.setattr(comparing.sender, "_most", 0)
        assert ids(serving.recommend("ann", limit=3))[0] == "ronin"
        serving.recommend("ann", limit=4)
    assert comparing.DROPPED._value.get() == before + 2
    assert not ShadowList.objects.exists()
    # Counted on its row with the next list that is compared.
    serving.recommend("ann", limit=5)
    trial.refresh_from_db()
    assert (trial.dropped, ShadowList.objects.count()) == (2, 1)


def test_who_is_forgotten_leaves_no_list(site: FilmSite, other: ModelVersion) -> None:
    start(site, other)
    site.does("bob", ("watch", "clue"))
    for user_id in ("ann", "bob"):
        serving.recommend(user_id)
    with site.commit():
        assert erase_user("ann")["shadow_lists"] == 1
    assert [one.user_id for one in ShadowList.objects.all()] == ["bob"]


def test_the_files_of_a_shadow_stay(site: FilmSite, other: ModelVersion, settings: Any) -> None:
    settings.RECOMMENDER_VERSIONS_KEPT = 1
    start(site, other)
    with site.commit():
        site.publish()
        site.publish()
    assert retention.apply().retired == ("v1",)
    with site.commit():
        switch.stop()
    assert retention.apply().retired == ("v2",)
    active.forget()
