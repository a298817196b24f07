"""One person's list is never another's, whatever is cached, and no cache on the way keeps it."""

from __future__ import annotations

import random

from django.test import Client

from recommender import listing, serving
from recsite import api_keys
from tests.recommender.film_site import FILMS, FilmSite, ids

PEOPLE = {"ann": "heat", "bob": "airplane", "cat": "alien", "dan": "ronin", "eve": "clue"}
ROUNDS = 500


def test_of_many_requests_in_any_order_each_gets_his_own(site: FilmSite) -> None:
    for user_id, item_id in PEOPLE.items():
        site.does(user_id, ("watch", item_id))
    asked = [(user_id, kind) for user_id in (*PEOPLE, "", "stranger") for kind in ("", "trending", "personalized")]
    alone = {}
    for user_id, kind in asked:
        listing._cache.cache_clear()
        alone[user_id, kind] = set(ids(serving.recommend(user_id, kind=kind, limit=9, record=False)))
    for user_id, item_id in PEOPLE.items():
        assert alone[user_id, ""] == set(FILMS) - {item_id}
    draw = random.Random(1)
    for _ in range(ROUNDS):
        user_id, kind = draw.choice(asked)
        made = serving.recommend(user_id, kind=kind, limit=9, record=False)
        assert set(ids(made)) == alone[user_id, kind]
        for item in made.items:
            others = [one.title() for name, one in PEOPLE.items() if name != user_id]
            assert not any(f"Because you watched {title}" in item.reason for title in others)


def test_no_cache_keeps_a_personal_answer(site: FilmSite) -> None:
    site.does("ann", ("watch", "heat"))
    client = Client(headers={"Authorization": f"Api-Key {api_keys.create('test', ['read', 'users'])}"})
    for path in ("recommendations/ann", "similar/heat?user_id=ann", "pages/home?user_id=ann", "users/ann"):
        answer = client.get(f"/api/v1/{path}")
        assert answer.status_code == 200
        assert "no-store" in answer.headers["Cache-Control"], path
        assert "private" in answer.headers["Cache-Control"], path
    for path in ("/", "/profile/", "/profile/data/", "/items/heat/"):
        assert "private" in Client().get(path).headers["Cache-Control"], path
