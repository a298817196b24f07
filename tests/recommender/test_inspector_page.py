"""The page "Why is this here?", the way to it, and the preview of somebody of a segment."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from recommender import tasks
from recommender.inspector_page import address
from tests.recommender.film_site import FilmSite
from tests.recommender.rule_writing import published, written

WHY = "/admin/recommender/rule/why/"
PREVIEW = "/admin/recommender/rule/preview/"


@pytest.fixture
def viewer(client: Client) -> Client:
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_rule"]))
    client.force_login(user)
    return client


def shown(client: Client, path: str = WHY, **asked: Any) -> str:
    answer = client.get(path, {"placement": "trending", **asked})
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_who_may_see_rules_may_ask_and_nobody_else(site: FilmSite, viewer: Client) -> None:
    assert WHY in viewer.get("/admin/recommender/rule/").content.decode()
    page = shown(viewer, item=site.pks["heat"])
    assert "It stands at place 1 of 9" in page
    User.objects.get().user_permissions.clear()
    assert viewer.get(WHY).status_code == 403
    assert Client().get(WHY).status_code == 302
    assert tasks.write_impressions() == 0


def test_a_rule_that_shuts_the_item_out_is_linked(site: FilmSite, viewer: Client) -> None:
    with site.commit():
        rule = published("hide", name="No <b>crime</b>", where="category=crime")
    page = shown(viewer, item=site.pks["heat"])
    assert "the rule “No &lt;b&gt;crime&lt;/b&gt;” hides it" in page
    assert f'href="/admin/recommender/rule/{rule.pk}/change/"' in page


@pytest.mark.parametrize("item", ["heat", "-1", "9" * 30, "٣", "\0"])
def test_what_is_no_item_is_asked_for_again(site: FilmSite, viewer: Client, item: str) -> None:
    assert "This field is required." in shown(viewer, item=item)


def test_an_address_names_the_item_by_its_own_id(site: FilmSite, viewer: Client) -> None:
    site.does("ann", ("watch", "alien"))
    where = address(item_id="alien", user_id="ann", placement="homepage")
    assert where.startswith(WHY)
    page = viewer.get(where).content.decode()
    assert "this user has taken it already" in page
    assert f'<option value="{site.pks["alien"]}" selected' in page


def test_what_cannot_be_found_is_said_at_its_field(site: FilmSite, viewer: Client) -> None:
    assert "This field is required" in shown(viewer, item_id="dune")
    assert "Select a valid choice" in shown(viewer, item="999999999")
    assert "Select a valid choice" in shown(viewer, item=site.pks["heat"], placement="nowhere")
    page = shown(viewer, item=site.pks["heat"], placement="product_page")
    assert ("needs item_id" in page, "It stands" in page) == (True, False)
    assert "It stands at place 1" in shown(
        viewer, item=site.pks["ronin"], placement="product_page", seed_item_id="heat"
    )


def test_the_items_are_not_all_read_to_choose_from(site: FilmSite, viewer: Client) -> None:
    page = shown(viewer, item=site.pks["heat"])
    assert "admin-autocomplete" in page
    assert page.count("<option value=") < 9 + 4 + 3
    assert "Ronin" not in page


def test_somebody_of_a_segment_is_drawn_and_named(site: FilmSite, client: Client) -> None:
    client.force_login(User.objects.create_superuser("editor"))
    for name in ("ann", "bob"):
        site.does(name, ("watch", "alien"))
    with site.commit():
        written("pin", name="Coco first", items=["coco"], position=1)
    page = shown(client, PREVIEW, placement="homepage", segment="returning")
    assert "Drawn from the segment “returning”" in page
    assert ("ann" in page, "bob" in page, "Because you watched Alien" in page) == (True, True, True)
    assert f"{WHY}?placement=homepage" in page
    chosen = shown(client, PREVIEW, placement="homepage", segment="returning", user_id="bob")
    assert "<strong" in chosen.split('id="drawn"')[1].split("bob")[0]
    assert "a new visitor</strong>" in shown(client, PREVIEW, segment="new")
    assert "Nobody of the users drawn" in shown(client, PREVIEW, segment="regular")
