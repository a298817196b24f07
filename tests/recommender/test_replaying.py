"""Logged lists are made again as policies would have made them, and put beside what came of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import numpy as np
import pytest
from django.utils import timezone

from catalog.models import Item
from interactions import impression_rows
from interactions.contracts import ServedItem, ServedList
from interactions.recording import EventInput, record
from recommender import replaying
from recommender.impact_replay import as_it_is
from recommender.queries import Placements
from recommender.replaying import Place, Replayed, decisions
from recommender.visit import Visit, begin
from tests.recommender.film_site import FilmSite

HOUR = timedelta(hours=1)


def show(site: FilmSite, item_ids: list[str], propensities: list[float], placement: str = "trending") -> UUID:
    """Note a list that Ann was shown an hour ago."""
    request_id = uuid4()
    served = ServedList(
        request_id=request_id,
        shown_at=(timezone.now() - HOUR).timestamp(),
        user_id="ann",
        placement=placement,
        model_version="v1",
        rules_version=1,
        items=tuple(
            ServedItem(item_pk=site.pks[item_id], position=position, source="popular", propensity=propensity)
            for position, (item_id, propensity) in enumerate(zip(item_ids, propensities, strict=True))
        ),
    )
    impression_rows.insert([served])
    return request_id


def take(site: FilmSite, request_id: UUID, item_id: str) -> None:
    with site.commit():
        at = timezone.now() - HOUR + timedelta(minutes=5)
        event = EventInput(user_id="ann", item_id=item_id, event_type="watch", occurred_at=at, request_id=request_id)
        assert [verdict.status for verdict in record([event])] == ["accepted"]


def test_a_list_is_made_again_as_it_was_before_the_click(site: FilmSite) -> None:
    request_id = show(site, ["heat", "clue", "thief"], [0.5, 1.0, 1.0])
    take(site, request_id, "heat")
    found = replaying.replay(begin("ann", record=False), [as_it_is], ["trending"])
    assert (found.lists, found.mixed, len(found.places)) == (1, 0, 3)
    # By now she has watched heat, and it is in no list of hers; then it was the most popular one, before ronin.
    assert [(one.item_pk, one.position, one.propensity, one.reward) for one in found.places] == [
        (site.pks["heat"], 0, 0.5, 1.0),
        (site.pks["clue"], 1, 1.0, 0.0),
        (site.pks["thief"], 2, 1.0, 0.0),
    ]
    assert [one.policies for one in found.places] == [
        (((site.pks[item_id], 1.0),),) for item_id in ("heat", "ronin", "thief")
    ]


def test_what_the_slot_could_have_drawn_counts_with_its_probability(site: FilmSite) -> None:
    with site.commit():
        dune = Item.objects.create(item_id="dune", title="Dune", category="drama").pk
        long_ago = timezone.now() - 2 * HOUR
        record([EventInput(user_id="ann", item_id="alien", event_type="watch", occurred_at=long_ago)])
    show(site, ["arrival", "heat", "ronin", "thief"], [1.0] * 4, placement="homepage")
    visit = begin("ann", record=False)

    def of_four(past: Visit, placement: str) -> Any:
        short = [msgspec.structs.replace(spec, limit=4) for spec in past.state.placements.specs]
        return as_it_is(replace(past, state=replace(past.state, placements=Placements(1, short))), placement)

    [*_, third, fourth] = replaying.replay(visit, [of_four], ["homepage"]).places
    # Dune stands at either with a half; who was third without it is third or fourth, and the fourth is pushed out.
    assert dict(third.policies[0])[dune] == dict(fourth.policies[0])[dune] == 0.5
    [pushed] = set(dict(third.policies[0])) & set(dict(fourth.policies[0])) - {dune}
    assert dict(third.policies[0])[pushed] == dict(fourth.policies[0])[pushed] == 0.5


def test_lists_that_mix_variants_are_left_out_and_counted(site: FilmSite) -> None:
    show(site, ["heat", "ronin"], [0.0, 0.0])
    show(site, ["heat", "ronin"], [1.0, 0.0])
    found = replaying.replay(begin("ann", record=False), [as_it_is], ["trending"])
    assert (found.lists, found.mixed, [one.propensity for one in found.places]) == (1, 1, [1.0, 0.0])
    [one] = decisions([found], 1)
    assert np.isnan(one.propensities).tolist() == [False, True]


def test_lists_about_something_cannot_be_made_again(site: FilmSite) -> None:
    visit = begin("ann", record=False)
    everywhere = replaying.placements(visit)
    assert {"homepage", "trending"} <= set(everywhere)
    about = {spec.name for spec in visit.state.placements.specs} - set(everywhere)
    assert about >= {"product_page", "because_you_watched"}
    assert replaying.placements(visit, frozenset({"trending", "product_page"})) == ["trending"]


def place(item: int, position: int, reward: float, *policies: tuple[tuple[int, float], ...], p: float = 1.0) -> Place:
    return Place(item_pk=item, position=position, propensity=p, reward=reward, policies=policies)


def test_rows_are_places_and_what_is_guessed_of_a_user_is_learned_from_the_other_half() -> None:
    """Ann is shown item 1, Bob 1 and 2. The second policy shows 2 first and, with a half each, 1 or 3 then."""
    then = ((1, 0.5), (3, 0.5))
    ann = Replayed(lists=1, places=(place(1, 0, 1.0, ((1, 1.0),), ((2, 1.0),)),))
    bob = Replayed(
        lists=1,
        places=(
            place(1, 0, 0.0, ((1, 1.0),), ((2, 1.0),), p=0.5),
            place(2, 1, 1.0, ((2, 1.0),), then),
        ),
    )
    same, other = decisions([ann, bob], 2)
    assert same.rewards.tolist() == [1, 0, 1]
    assert same.units is not None
    assert same.units.tolist() == [0, 1, 1]
    assert same.propensities.tolist() == [1, 0.5, 1]
    assert (same.target.tolist(), other.target.tolist()) == ([1, 1, 1], [0, 0, 0])
    # Of Bob's two rows, half of which are taken, Ann's place is guessed: (0 + 20 · 0.5) / 21 at the first, and item 1
    # was taken 0 times where that was expected; of Ann's one row Bob's: all are taken, at whatever place.
    first, second = 10 / 21, 11 / 21
    of_one, of_two = 2 / (2 + first), 3 / (2 + second)
    assert same.expected is not None
    assert other.expected_of_target is not None
    assert same.expected == pytest.approx([first * of_one, 1, 1])
    assert other.expected_of_target == pytest.approx([first * of_two, 1, 1])


def test_nobody_makes_no_rows() -> None:
    [found] = decisions([], 1)
    assert len(found.rewards) == len(found.target) == 0
