"""Whatever is wrong with a model's files, a request gets a list: of the older version, or of the fallback, named so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client

from catalog.models import Item
from recommender.models import ActiveModel, ModelVersion
from recommender.pipeline import model_view
from recommender.registry import active
from recsite import api_keys
from tests.recommender.film_site import POPULAR, FilmSite
from tests.recommender.registry.test_artifacts import DAMAGES, forge, saved

Ask = Callable[[], dict[str, Any]]

FILES = ["item_pks.npy", "popularity.npy", "item_to_item.data.npy", "manifest.json", "index-content/vectors.npy"]
FORGED: dict[str, tuple[str, np.ndarray]] = {
    "NaN": ("popularity.npy", np.full(9, np.nan, np.float32)),
    "infinity": ("content.vectors.npy", np.full((9, 4), np.inf, np.float32)),
    "too few rows": ("popularity.npy", np.ones(8, np.float32)),
    "another dimension": ("content.vectors.npy", np.ones((9, 3), np.float32)),
    "columns beyond the items": ("item_to_item.indices.npy", np.full(10, 9, np.int32)),
    "rows beyond the entries": ("item_to_item.indptr.npy", np.arange(0, 100, 10)),
}
"""Content whose sums agree everywhere, as only a mistake of training or somebody inside can make it."""


@pytest.fixture
def ask(site: FilmSite) -> Ask:
    """Ask over HTTP for the list of somebody who has watched Heat."""
    site.does("ann", ("watch", "heat"))
    client = Client(headers={"Authorization": f"Api-Key {api_keys.create('test', ['read'])}"})

    def ask() -> dict[str, Any]:
        response = client.get("/api/v1/recommendations/ann?limit=3")
        assert response.status_code == 200, response.content
        document: dict[str, Any] = response.json()
        return document

    return ask


def item_ids(document: dict[str, Any]) -> list[str]:
    return [item["item_id"] for item in document["recommendations"]]


def versions(document: dict[str, Any]) -> set[str | None]:
    return {item["model_version"] for item in document["recommendations"]}


def assert_popular(document: dict[str, Any]) -> None:
    """The fallback answers, and says why: the most taken films, without the one he has watched."""
    assert (document["fallback"], document["fallback_reason"]) == (True, "no_model")
    assert sorted(item_ids(document)) == sorted(POPULAR[1:4])
    assert versions(document) == {None}


def start_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold no model, as a new process does."""
    active.forget()
    monkeypatch.setattr(model_view, "_current", None)


def forge_file(version: ModelVersion, models: Path, kind: str) -> None:
    """Put wrong content into a version, with sums that agree in the manifest and in the database."""
    name, content = FORGED[kind]
    directory = models / version.directory
    (directory / name).unlink()
    saved(content)(directory / name)
    entry = {"dtype": content.dtype.str, "shape": list(content.shape)}
    ModelVersion.objects.filter(pk=version.pk).update(manifest_sha256=forge(directory, name, entry))


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_version_leaves_the_older_one_answering(
    site: FilmSite, ask: Ask, models: Path, monkeypatch: pytest.MonkeyPatch, file: str, damage: str
) -> None:
    before = ask()
    assert versions(before) == {"v1"}
    DAMAGES[damage][0](models / site.publish().directory / file)
    for _ in range(2):
        after = ask()
        assert (item_ids(after), versions(after), after["fallback"]) == (item_ids(before), {"v1"}, False)
        start_anew(monkeypatch)


@pytest.mark.parametrize("damage", DAMAGES)
def test_with_no_other_version_the_fallback_answers(
    site: FilmSite, ask: Ask, models: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    version = ModelVersion.objects.get()
    DAMAGES[damage][0](models / version.directory / "item_to_item.data.npy")
    start_anew(monkeypatch)
    assert_popular(ask())


@pytest.mark.parametrize("kind", FORGED)
def test_content_that_cannot_be_served_is_refused_although_its_sums_agree(
    site: FilmSite, ask: Ask, models: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    before = ask()
    newer = site.publish()
    forge_file(newer, models, kind)
    after = ask()
    assert (item_ids(after), versions(after), after["fallback"]) == (item_ids(before), {"v1"}, False)
    forge_file(ModelVersion.objects.get(name="v1"), models, kind)
    start_anew(monkeypatch)
    assert_popular(ask())


def test_a_model_of_another_catalogue_is_not_asked(
    site: FilmSite, ask: Ask, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = np.arange(9) + max(site.pks.values()) + 1
    monkeypatch.setitem(FORGED, "another catalogue", ("item_pks.npy", others))
    version = site.publish()
    forge_file(version, models, "another catalogue")
    start_anew(monkeypatch)
    assert_popular(ask())


def test_a_model_of_half_another_catalogue_recommends_only_what_is_here(
    site: FilmSite, ask: Ask, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pks = np.array([site.pks[item_id] for item_id in POPULAR])
    # Ronin, which goes with Heat, is somebody else's film under this model.
    pks[1] = pks.max() + 1
    monkeypatch.setitem(FORGED, "half", ("item_pks.npy", pks))
    forge_file(site.publish(), models, "half")
    start_anew(monkeypatch)
    document = ask()
    assert (document["fallback"], versions(document)) == (False, {"v2"})
    assert item_ids(document)[0] == "thief"
    assert Item.objects.filter(item_id__in=item_ids(document)).count() == 3


def test_a_pointer_at_a_version_without_files_is_no_model(
    site: FilmSite, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = ModelVersion.objects.create(name="v9", directory="v9-00000000", manifest_sha256="0" * 64, state="ready")
    ModelVersion.objects.filter(name="v1").update(state="retired")
    ActiveModel.objects.update(version=nowhere)
    start_anew(monkeypatch)
    assert_popular(ask())
