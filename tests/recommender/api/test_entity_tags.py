"""What may be kept by whom: lists for nobody in particular against an entity tag, personal ones by nobody."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from catalog.models import Item
from recsite import api_keys
from tests.recommender.conftest import Commit
from tests.recommender.film_site import FilmSite

FOR_NOBODY = [
    "similar/heat?limit=2",
    "pages/home",
    "recommendations/ann?type=trending&consent=0",
    "similar/heat?user_id=ann&consent=0",
]
PERSONAL = [
    "recommendations/ann",
    "recommendations/ann?type=trending",
    "similar/heat?user_id=ann",
    "pages/home?user_id=ann",
    "similar/heat?explain=1",
    "similar/heat?cursor=",
]


@pytest.fixture
def client(site: FilmSite) -> Client:
    return Client(headers={"Authorization": f"Api-Key {api_keys.create('test', ['read'])}"})


def get(client: Client, path: str, tag: str = "") -> Any:
    return client.get(f"/api/v1/{path}", headers={"If-None-Match": tag} if tag else {})


@pytest.mark.parametrize("path", FOR_NOBODY)
def test_what_is_at_hand_is_not_sent_again(client: Client, path: str) -> None:
    first = get(client, path)
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert "Authorization" in first.headers["Vary"]
    tag = first.headers["ETag"]
    assert tag.startswith('W/"')
    for sent in (tag, f'"another", {tag}'):
        again = get(client, path, sent)
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
        assert again.headers["Cache-Control"] == "private, no-cache"
    for sent in ('W/"another"', "nonsense"):
        assert get(client, path, sent).status_code == 200


@pytest.mark.parametrize("path", PERSONAL)
def test_what_is_personal_is_kept_by_nobody(client: Client, path: str) -> None:
    answer = get(client, path, "*")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "private, no-store")
    assert "ETag" not in answer.headers


def test_a_changed_item_changes_the_tag(client: Client, commit: Commit) -> None:
    tag = get(client, "similar/heat?expand=item").headers["ETag"]
    assert get(client, "similar/heat").headers["ETag"] != tag
    with commit():
        Item.objects.filter(item_id="ronin").update(title="Ronin (1998)")
    answer = get(client, "similar/heat?expand=item", tag)
    assert answer.status_code == 200
    assert "Ronin (1998)" in answer.text
    with commit():
        Item.objects.filter(item_id="ronin").update(is_active=False)
    assert "ronin" not in get(client, "similar/heat?expand=item", answer.headers["ETag"]).text
