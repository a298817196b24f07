"""Staff see on each card why it stands there; everybody else gets the very same page as before."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from recommender import serving_state, staff_overlay
from recsite.csp import HEADER
from tests.recommender.film_site import FilmSite
from tests.recommender.rule_writing import published


def staff(*permissions: str) -> Client:
    user = User.objects.create_user("editor", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def home(client: Client, path: str = "/") -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_staff_see_why_each_card_stands_there(site: FilmSite) -> None:
    with site.commit():
        rule = published("pin", name="Coco & co", items=["coco"], position=2)
    page = home(staff("view_rule"))
    assert page.count('class="recs-why"') == page.count("data-item-id=") == page.count('class="recs-why-note"') > 4
    coco = next(note for note in page.split('class="recs-why-note"') if ">Coco</p>" in note)
    assert f'<a href="/admin/recommender/rule/{rule.pk}/change/">Coco &amp; co</a>' in coco
    assert "<dt>Place</dt><dd>2</dd>" in coco
    assert "<dt>Model</dt><dd>v1</dd>" in coco
    heat = next(note for note in page.split('class="recs-why-note"') if ">Heat</p>" in note)
    assert ("<dt>Source</dt><dd>popular</dd>" in heat, '<dt>Rule</dt><dd dir="auto">none</dd>' in heat) == (True, True)
    assert "recommender/why.css" in page


def test_the_way_to_the_inspector_is_prefilled_and_leads_there(site: FilmSite) -> None:
    client = staff("view_rule")
    editor = str(User.objects.get().pk)
    site.does(editor, ("watch", "alien"))
    page = home(client)
    links = re.findall(r'class="recs-why-more" href="([^"]+)"', page)
    arrival = next(link for link in links if "item_id=arrival" in link).replace("&amp;", "&")
    asked = parse_qs(urlsplit(arrival).query)
    assert (asked["user_id"], asked["item_id"], asked["on_its_page"]) == ([editor], ["arrival"], ["on"])
    note = next(note for note in page.split('class="recs-why-note"') if ">Arrival</p>" in note)
    place = re.search(r"<dt>Place</dt><dd>(\d+)</dd>", note)
    assert place is not None
    assert f"It stands at place {place[1]} of " in home(client, arrival)


def test_the_item_page_has_it_too_and_keeps_the_strict_policy(site: FilmSite) -> None:
    answer = staff("view_rule").get("/items/heat/")
    page = answer.content.decode()
    assert page.count('class="recs-why"') == page.count("data-item-id=") > 0
    assert "seed_item_id=heat" in page
    assert "script-src 'self'" in answer.headers[HEADER]
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|\sstyle=", page)


def test_nobody_else_is_shown_anything(site: FilmSite) -> None:
    customer = Client()
    customer.force_login(User.objects.create_user("customer"))
    for client in (Client(), customer, staff("view_placement")):
        page = home(client)
        assert "data-item-id" in page
        assert "recs-why" not in page
        assert "why.css" not in page
        assert "/admin/recommender" not in page


@pytest.mark.parametrize("who", ["anonymous", "customer"])
def test_it_costs_everybody_else_no_query(site: FilmSite, who: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    if who == "customer":
        client.force_login(User.objects.create_user("customer"))
    home(client)
    with CaptureQueriesContext(
        connection,
    ) as with_it:
        home(client)
    monkeypatch.setattr(staff_overlay, "may_see", lambda request: False)
    with CaptureQueriesContext(connection) as without:
        home(client)
    assert [query["sql"] for query in with_it] == [query["sql"] for query in without]


def test_a_rule_that_is_no_longer_known_has_a_number(site: FilmSite, monkeypatch: pytest.MonkeyPatch) -> None:
    with site.commit():
        rule = published("pin", name="Coco", items=["coco"], position=1)
    client = staff("view_rule")
    home(client)
    monkeypatch.setattr(serving_state, "last", lambda: None)
    assert f">rule {rule.pk}</a>" in home(client)
