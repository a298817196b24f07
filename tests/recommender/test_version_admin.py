"""Versions in admin: what is shown of them, and how one is made to serve."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from interactions.recording import EventInput, record
from recommender import serving
from recommender.models import ActiveModel, ModelVersion, Shadow
from recommender.registry import publishing
from recommender.shadowing import switch
from tests.recommender.film_site import FilmSite

VERSIONS = "/admin/recommender/modelversion/"
BACK = f"{VERSIONS}roll-back/"


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("engineer"))
    return client


def promotion(version: ModelVersion) -> str:
    return f"{VERSIONS}{version.pk}/promote/"


def served() -> tuple[str, str | None]:
    """Return what serves, and what a roll-back remembers."""
    held = publishing.pointer()
    assert held is not None
    return held.version.name, held.previous and held.previous.name


def test_another_version_serves_from_the_next_request_on(staff: Client, site: FilmSite) -> None:
    first = ModelVersion.objects.get()
    first.metrics = {"final": {"ndcg": 0.25, "coverage": 0.5}}
    first.gate_reasons = ["too <few> users"]
    first.save()
    with site.commit():
        site.publish()
    assert serving.recommend("", limit=3).model_version == "v2"
    page = staff.get(promotion(first)).text
    for said in ("v2 serves now.", "v2, serves", "0.25", "too &lt;few&gt; users", 'name="seen" value="v2"'):
        assert said in page
    assert served() == ("v2", "v1")
    with site.commit():
        answer = staff.post(promotion(first), {"seen": "v2"}, follow=True)
    assert "v1 serves from the next request on." in answer.text
    assert served() == ("v1", "v2")
    assert serving.recommend("", limit=3).model_version == "v1"


def test_rolling_back_goes_to_what_served_before(staff: Client, site: FilmSite) -> None:
    site.publish()
    site.publish()
    assert "Roll back to the one before: v2" in staff.get(BACK).text
    staff.post(BACK, {"seen": "v3"})
    assert served() == ("v2", None)
    staff.post(BACK, {"seen": "v2"})
    assert served() == ("v1", None)
    answer = staff.post(BACK, {"seen": "v1"}, follow=True)
    assert "There is no ready version older than v1." in answer.text
    assert served() == ("v1", None)


def test_what_was_decided_of_another_version_does_not_count(staff: Client, site: FilmSite) -> None:
    first = ModelVersion.objects.get()
    site.publish()
    site.publish()
    for page in (BACK, promotion(first)):
        answer = staff.post(page, {"seen": "v2"}, follow=True)
        assert "Nothing has changed. v3 serves by now, no longer v2: look again." in answer.text
    assert served() == ("v3", "v2")


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ("refused", "The gate refused v2, so its files were never written"),
        ("retired", "The files of v2 have been removed"),
    ],
)
def test_a_version_without_files_cannot_serve(staff: Client, site: FilmSite, state: str, why: str) -> None:
    other = ModelVersion.objects.create(name="v2", state=state)
    page = staff.get(promotion(other)).text
    assert why in page
    assert 'name="seen"' not in page
    assert why in staff.post(promotion(other), {"seen": "v1"}).text
    assert served() == ("v1", None)


def test_the_version_that_serves_has_nothing_to_confirm(staff: Client, site: FilmSite) -> None:
    page = staff.get(promotion(ModelVersion.objects.get())).text
    assert "v1 serves already." in page
    assert 'name="seen"' not in page


def test_a_damaged_version_is_refused_and_nothing_changes(staff: Client, site: FilmSite, models: Path) -> None:
    first = ModelVersion.objects.get()
    site.publish()
    shutil.rmtree(models / first.directory)
    answer = staff.post(promotion(first), {"seen": "v2"}, follow=True)
    assert "Nothing has changed. manifest.json: " in answer.text
    assert served() == ("v2", "v1")


def test_who_may_only_look_moves_nothing(client: Client, site: FilmSite) -> None:
    first = ModelVersion.objects.get()
    site.publish()
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.groups.add(Group.objects.get(name="Viewers"))
    client.force_login(viewer)
    assert "roll-back" not in client.get(VERSIONS).text
    for page in (BACK, promotion(first)):
        assert client.get(page).status_code == 403
        assert client.post(page, {"seen": "v2"}).status_code == 403
    assert served() == ("v2", "v1")
    viewer.groups.add(Group.objects.get(name="ML engineers"))
    assert "roll-back" in client.get(VERSIONS).text
    assert client.get(BACK).status_code == 200


def test_a_version_cannot_be_edited(staff: Client) -> None:
    version = ModelVersion.objects.create(name="v1", state="ready")
    page = f"/admin/recommender/modelversion/{version.pk}/change/"
    assert "nothing could be measured" in staff.get(page).content.decode()
    assert staff.post(page, {"name": "v9"}).status_code == 403
    assert staff.get("/admin/recommender/modelversion/add/").status_code == 403


def test_a_versions_page_shows_what_was_measured(staff: Client) -> None:
    first, second = (
        ModelVersion.objects.create(
            name=name,
            state="ready",
            metrics={"final": {"ndcg": ndcg, "users": 7}, "sources": {"popular": {"ndcg": 0.25}}},
            gate_reasons=["too <few> items"],
        )
        for name, ndcg in (("v1", 0.5), ("v2", 0.75))
    )
    ActiveModel.objects.create(alias="default", version=first)
    text = staff.get(f"/admin/recommender/modelversion/{second.pk}/change/").content.decode()
    measured = text[text.index('id="measured"') : text.index('id="modelversion_form"')]
    for part in ("0.7500", "v1, which serves", "0.5000", "popular", "too &lt;few&gt; items", "serves</text>"):
        assert part in measured
    assert measured.count("<svg") == 2
    assert "<script" not in measured
    assert "style=" not in measured
    assert staff.get("/admin/recommender/modelversion/999999/change/").status_code == 302


def test_the_list_of_versions_says_which_one_serves(staff: Client) -> None:
    first, _ = (ModelVersion.objects.create(name=name, state="ready") for name in ("v1", "v2"))
    ActiveModel.objects.create(alias="default", version=first)
    found = staff.get("/admin/recommender/modelversion/").context["cl"].result_list
    assert [(version.name, version.is_active) for version in found] == [("v2", False), ("v1", True)]


def shadowing(version: ModelVersion) -> str:
    return f"{VERSIONS}{version.pk}/shadow/"


@pytest.fixture
def other(site: FilmSite) -> ModelVersion:
    """Return v2, which has served; v1 does."""
    version = site.publish()
    publishing.rollback("v1")
    return version


def test_a_version_is_shadowed_changed_and_stopped(staff: Client, site: FilmSite, other: ModelVersion) -> None:
    url = shadowing(other)
    assert "v2 has not shadowed yet." in staff.get(url).text
    answer = staff.post(url, {"do": "start", "percent": "100"}, follow=True)
    assert "v2 shadows for 100 % of the users, from the next request on." in answer.text
    assert "v2 shadows v1 for 100 % of the users since" in answer.text
    assert "No list has been compared yet." in answer.text
    trial = Shadow.objects.get()
    assert (trial.percent, trial.started_by and trial.started_by.username) == (100, "engineer")
    site.does("ann", ("watch", "heat"))
    made = serving.recommend("ann")
    page = staff.get(url).text
    for part in ('id="alike"', 'id="took"', "<td", "100%", "Nobody has taken anything from these lists yet"):
        assert part in page
    with site.commit():
        record([EventInput("ann", made.items[0].item_id, "watch", timezone.now(), request_id=made.request_id)])
    page = staff.get(url).text
    assert (
        "1 users took something from 1 lists. Shadow against live: NDCG@10: +0.000 (+0.000 to +0.000, may be chance);"
        in page
    )
    assert page.count('role="img" aria-label') == 2
    assert "live (v1)" in page
    assert "v2</a> shadows it for 100 % of the users." in staff.get(VERSIONS).text
    staff.post(url, {"do": "start", "percent": "7"})
    trial.refresh_from_db()
    assert (trial.percent, Shadow.objects.count()) == (7, 1)
    assert "Nothing shadows any more." in staff.post(url, {"do": "stop"}, follow=True).text
    trial.refresh_from_db()
    assert trial.stopped_at is not None
    assert "v2 shadowed for 7 % of the users from" in staff.get(url).text


@pytest.mark.parametrize("percent", ["101", "-1", "", "many"])
def test_a_share_that_is_none_is_refused_at_its_field(staff: Client, other: ModelVersion, percent: str) -> None:
    answer = staff.post(shadowing(other), {"do": "start", "percent": percent})
    assert list(answer.context["form"].errors) == ["percent"]
    assert answer.context["form"].errors["percent"][0] in answer.text
    assert not Shadow.objects.exists()


def test_what_serves_does_not_shadow(staff: Client, other: ModelVersion) -> None:
    first = ModelVersion.objects.get(name="v1")
    page = staff.get(shadowing(first)).text
    assert "v1 serves: there is nothing to compare it with." in page
    assert 'value="start"' not in page
    answer = staff.post(shadowing(first), {"do": "start", "percent": "5"}, follow=True)
    assert "Nothing has changed. v1 serves" in answer.text
    assert not Shadow.objects.exists()


def test_what_fails_is_told_on_the_page(staff: Client, site: FilmSite, other: ModelVersion, models: Path) -> None:
    staff.post(shadowing(other), {"do": "start", "percent": "100"})
    shutil.rmtree(models / other.directory)
    site.does("ann", ("watch", "heat"))
    assert serving.recommend("ann").model_version == "v1"
    page = staff.get(shadowing(other)).text
    assert "1 lists could not be made" in page
    assert "manifest.json: " in page


def test_who_may_only_look_starts_and_stops_nothing(client: Client, site: FilmSite, other: ModelVersion) -> None:
    trial = switch.start(other, 5, None)
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.groups.add(Group.objects.get(name="Viewers"))
    client.force_login(viewer)
    page = client.get(shadowing(other)).text
    assert ("v2 shadows v1" in page, 'value="stop"' in page) == (True, False)
    for form in ({"do": "stop"}, {"do": "start", "percent": "50"}):
        assert client.post(shadowing(other), form).status_code == 403
    trial.refresh_from_db()
    assert (trial.percent, trial.stopped_at) == (5, None)
