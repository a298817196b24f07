"""What a draft would change is counted on real users' lists, and measured on what they did last."""

from __future__ import annotations

import numpy as np
import pytest

from interactions import features
from interactions.queries import sample_of_users
from recommender import impact
from recommender.impact import Impact, OfPlacement, measure, without_newest
from recommender.rules import draft
from tests.recommender.film_site import FilmSite
from tests.recommender.rule_writing import written


def of(found: Impact, placement: str) -> OfPlacement:
    [one] = [one for one in found.placements if one.placement == placement]
    return one


@pytest.fixture
def people(site: FilmSite) -> FilmSite:
    site.does("ann", ("watch", "heat"), ("watch", "ronin"))
    site.does("bob", ("watch", "alien"), ("watch", "arrival"))
    site.does("cem", ("watch", "clue"))
    return site


def test_without_rules_nothing_changes(people: FilmSite) -> None:
    found = measure([])
    assert (found.users, found.gained, found.lost) == (3, [], [])
    trending = of(found, "trending")
    assert (trending.lists, trending.changed, trending.moved, trending.by_rule_after, trending.measured) == (
        3,
        0,
        0,
        0,
        0,
    )
    personal = of(found, "homepage")
    # Cem has done one thing only.
    assert (personal.measured, personal.low, personal.high) == (2, 0.0, 0.0)
    assert personal.ndcg_before == personal.ndcg_after > 0


def test_lists_places_and_items_that_change_are_counted(people: FilmSite) -> None:
    with people.commit():
        written("pin", items=["up"], position=1, placements=["trending"])
        written("hide", where="item_id=coco", placements=["trending"])
    found = measure(draft.read())
    trending = of(found, "trending")
    assert (trending.lists, trending.changed, trending.by_rule_before, trending.by_rule_after) == (3, 3, 0, 3)
    assert trending.moved > 3
    assert found.lost == [("coco", "Coco", -3)]
    assert of(found, "new").changed == 0


def test_a_rule_that_hides_what_people_take_next_costs(people: FilmSite) -> None:
    with people.commit():
        written("hide", where="category=crime", placements=["homepage"])
    personal = of(measure(draft.read()), "homepage")
    # Ann's ronin is gone, Bob's arrival stays where it was.
    assert personal.ndcg_after < personal.ndcg_before
    assert personal.low < personal.ndcg_after - personal.ndcg_before < personal.high


def test_the_interval_is_that_of_the_mean_difference() -> None:
    found = OfPlacement(placement="home")
    impact._measured(found, np.array([[1.0, 0.5], [0.0, 0.0], [0.5, 1.0], [0.5, 0.0]]))
    assert (found.measured, found.ndcg_before, found.ndcg_after) == (4, 0.5, 0.375)
    # Differences -0.5, 0, 0.5 and -0.5: mean -0.125, standard deviation 0.4787.
    assert found.low == pytest.approx(-0.125 - 1.959964 * 0.478714 / 2, abs=1e-5)
    assert found.high == pytest.approx(-0.125 + 1.959964 * 0.478714 / 2, abs=1e-5)


def test_the_newest_deed_is_hidden_wherever_it_stands(people: FilmSite) -> None:
    people.does("ann", ("watch", "heat"))
    user, _ = features.load("ann")
    past, hidden = without_newest(user)
    assert past is not None
    assert hidden == people.pks["heat"]
    assert past.item_pks.tolist() == [people.pks["ronin"]]
    assert past.seen_pks.tolist() == [people.pks["ronin"]]
    assert without_newest(features.load("cem")[0])[0] is None
    assert without_newest(features.load("nobody")[0])[0] is None


def test_progress_is_told_user_by_user(people: FilmSite) -> None:
    told: list[tuple[int, int]] = []
    measure([], tell=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_the_same_seed_draws_the_same_users(people: FilmSite) -> None:
    assert sample_of_users(2, 5) == sample_of_users(2, 5)
    assert sorted(sample_of_users(10, 1)) == ["ann", "bob", "cem"]
    assert len(sample_of_users(2, 1)) == 2


def test_an_empty_site_has_nobody_to_draw(db: None) -> None:
    assert sample_of_users(10, 1) == []
