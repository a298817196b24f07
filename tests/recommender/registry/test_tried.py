from __future__ import annotations

import pytest

from catalog import revisions, snapshot
from catalog.snapshot import Catalogue
from recommender.models import ModelVersion
from recommender.registry import active, tried
from tests.recommender.film_site import FilmSite


def loaded() -> Catalogue:
    return snapshot.load(revisions.from_database()[revisions.CATALOGUE])


NAMES = frozenset({"v1", "v2"})


def test_named_versions_are_opened_once_and_dropped_when_nobody_names_them(
    site: FilmSite, django_assert_num_queries: object
) -> None:
    with site.commit():
        site.publish()
    catalogue = loaded()
    views = tried.views(NAMES, catalogue)
    assert {name: view.bundle.name for name, view in views.items()} == {"v1": "v1", "v2": "v2"}
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert tried.views(NAMES, catalogue) is views
    assert set(tried.views(frozenset({"v2"}), catalogue)) == {"v2"}
    assert tried.view("v1", catalogue) is None
    assert tried.views(frozenset(), catalogue) == {}


def test_another_catalogue_is_matched_anew(site: FilmSite) -> None:
    first, second = loaded(), loaded()
    bundle = tried.views(frozenset({"v1"}), first)["v1"].bundle
    alone = tried.view("v1", second)
    assert alone is not None
    assert (alone.catalogue is second, alone.bundle is bundle) == (True, True)
    again = tried.views(frozenset({"v1"}), second)["v1"]
    assert (again.catalogue is second, again.bundle is bundle) == (True, True)


def test_what_cannot_be_opened_is_tried_again_later(
    site: FilmSite, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = [100.0]
    monkeypatch.setattr(tried.time, "monotonic", lambda: clock[0])
    ModelVersion.objects.update(state=ModelVersion.State.RETIRED)
    catalogue = loaded()
    for _ in range(3):
        assert tried.views(frozenset({"v1"}), catalogue) == {}
    assert caplog.text.count("names the model version v1, which is not there") == 1
    ModelVersion.objects.update(state=ModelVersion.State.READY)
    assert tried.views(frozenset({"v1"}), catalogue) == {}
    clock[0] += active.RETRY_SECONDS
    assert set(tried.views(frozenset({"v1"}), catalogue)) == {"v1"}
