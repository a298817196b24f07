"""Not again after so many times shown: on the site, for the people a rule is for, in lists that are kept as well."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import redis
import time_machine

from catalog.redis_store import client
from interactions import feature_store, shown
from interactions.erasure import erase_user
from recommender import listing, serving, tasks
from recommender.impact import measure
from recommender.inspecting import inspect
from recommender.models import Placement
from recommender.previewing import preview
from recommender.rules import draft
from recommender.rules.viewer import is_held_out
from tests.recommender.film_site import FilmSite, ids
from tests.recommender.rule_writing import published, written

pytestmark = pytest.mark.usefixtures("each_redis")

NOON = "2030-01-01 12:00:00+00:00"


@pytest.fixture
def clock() -> Iterator[Any]:
    """Stop time at noon: two showings count as two a second apart."""
    with time_machine.travel(NOON, tick=False) as stopped:
        yield stopped


@pytest.fixture
def tiring(site: FilmSite) -> FilmSite:
    """The site with rows of two, and two showings of one item within a week are enough."""
    with site.commit():
        Placement.objects.update(limit=2, minimum=1)
        published("fatigue", name="Enough", at_most=2, window=7)
    return site


def look(clock: Any, user_id: str = "ann", **asked: Any) -> list[str]:
    """Return what somebody is shown, and let a second pass."""
    found = ids(serving.recommend(user_id, **{"context": "trending", **asked}))
    clock.shift(1)
    return found


def test_what_was_shown_so_often_gives_way_to_the_next(tiring: FilmSite, clock: Any) -> None:
    assert [look(clock) for _ in range(6)] == [
        ["heat", "ronin"], ["heat", "ronin"],
        ["thief", "airplane"], ["thief", "airplane"],
        ["clue", "alien"], ["clue", "alien"],
    ]  # fmt: skip
    # Others have not been shown anything.
    assert look(clock, "bob") == ["heat", "ronin"]


def test_after_its_days_it_comes_again(tiring: FilmSite, clock: Any) -> None:
    look(clock)
    look(clock)
    clock.shift(7 * 86_400 - 10)
    assert look(clock) == ["thief", "airplane"]
    clock.shift(20)
    assert look(clock) == ["heat", "ronin"]


def test_a_click_starts_the_count_anew(tiring: FilmSite, clock: Any) -> None:
    look(clock)
    look(clock)
    clock.shift(120)
    # A click is no watching: it may be shown again.
    tiring.does("ann", ("click", "heat"))
    assert look(clock, kind="trending") == ["heat", "thief"]


def test_a_kept_list_never_holds_what_has_tired_him(
    tiring: FilmSite, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    answer = listing.answer

    def counting(recipe: str, *asked: Any, **named: Any) -> Any:
        made.append(recipe)
        return answer(recipe, *asked, **named)

    monkeypatch.setattr(listing, "answer", counting)
    serving.recommend("ann", context="trending", record=False)
    assert [look(clock)[0] for _ in range(5)] == ["heat", "heat", "thief", "thief", "clue"]
    # Before the count is full the list is shown again as it was kept: showings alone make nothing anew.
    assert len(made) == 1 + 3


def test_what_looks_are_not_recorded_for_is_not_counted(tiring: FilmSite, clock: Any) -> None:
    for _ in range(4):
        assert look(clock, record=False) == ["heat", "ronin"]
    for _ in range(3):
        assert look(clock, "") == ["heat", "ronin"]


def test_a_pin_stays_and_a_promotion_gives_way(tiring: FilmSite, clock: Any) -> None:
    with tiring.commit():
        written("pin", items=["coco"], position=1, placements=["trending"])
        published("promote", items=["up", "arrival"], slots=1, placements=["new"])
    assert [look(clock) for _ in range(3)] == [["coco", "heat"], ["coco", "heat"], ["coco", "ronin"]]
    assert [look(clock, "bob", context="new")[1] for _ in range(3)] == ["up", "up", "arrival"]


def test_it_counts_for_its_items_people_and_places_only(site: FilmSite, clock: Any) -> None:
    with site.commit():
        Placement.objects.update(limit=2, minimum=1)
        rule = published("fatigue", at_most=1, window=7, where="category=crime", placements=["trending"])
    assert look(clock) == ["heat", "ronin"]
    assert look(clock) == ["thief", "airplane"]
    # Thief is of the rule, airplane is not.
    assert look(clock) == ["airplane", "clue"]
    assert look(clock, context="homepage") == ["heat", "ronin"]
    with site.commit():
        rule.placements.clear()
        rule.holdout_percent = 50
        rule.save()
        rule = published("hide", where="category=nothing")
    spec = next(spec for spec in draft.read() if spec.holdout)
    left_out = next(name for name in map(str, range(50)) if is_held_out(spec, name))
    assert [look(clock, left_out) for _ in range(3)] == [["heat", "ronin"]] * 3


def test_a_rule_that_is_published_counts_what_was_shown_before(site: FilmSite, clock: Any) -> None:
    with site.commit():
        Placement.objects.update(limit=2, minimum=1)
    look(clock)
    look(clock)
    tasks.write_impressions()
    assert look(clock, record=False) == ["heat", "ronin"]
    with site.commit():
        rule = published("fatigue", at_most=2, window=7)
    assert look(clock, record=False) == ["thief", "airplane"]
    with site.commit():
        rule.delete()
        published("hide", where="category=nothing")
    assert look(clock, record=False) == ["heat", "ronin"]


def test_without_such_a_rule_nothing_is_read_or_kept(site: FilmSite, clock: Any) -> None:
    with site.commit():
        published("hide", where="category=nothing")
    look(clock)
    look(clock)
    assert client().hget(feature_store.user_key("ann"), feature_store.SHOWN) is None


def test_a_request_still_asks_postgres_nothing_and_redis_once(
    tiring: FilmSite, clock: Any, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(clock)
    look(clock)
    trips: list[object] = []
    ask = feature_store.ask

    def counting(call: Any) -> Any:
        trips.append(call)
        return ask(call)

    monkeypatch.setattr(feature_store, "ask", counting)
    with django_assert_num_queries(0):
        assert look(clock) == ["thief", "airplane"]
        assert look(clock, context="homepage") == ["thief", "airplane"]
    assert len(trips) == 2


def test_with_redis_away_postgres_counts(tiring: FilmSite, clock: Any, dead_redis: redis.Redis) -> None:
    assert [look(clock)[0] for _ in range(3)] == ["heat", "heat", "thief"]


def test_where_nothing_can_be_counted_the_list_is_whole(
    tiring: FilmSite, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    def refuse(*asked: object) -> bytes:
        raise OperationalError("gone")

    monkeypatch.setattr(shown, "from_database", refuse)
    assert [look(clock) for _ in range(3)] == [["heat", "ronin"]] * 3


def test_somebody_erased_starts_anew(tiring: FilmSite, clock: Any) -> None:
    look(clock)
    look(clock)
    assert look(clock, record=False) == ["thief", "airplane"]
    with tiring.commit():
        erase_user("ann")
    assert look(clock, record=False) == ["heat", "ronin"]


def test_a_page_of_which_all_is_known_too_well_is_shorter(tiring: FilmSite, clock: Any) -> None:
    with tiring.commit():
        Placement.objects.exclude(name="homepage").update(is_active=False)
        Placement.objects.update(limit=9)
    for number in (9, 9, 0):
        assert sum(len(row.items) for row in serving.page("home", user_id="ann")) == number
        clock.shift(1)


def test_an_item_that_tires_can_be_explained(tiring: FilmSite, clock: Any) -> None:
    look(clock, context="homepage")
    look(clock, context="homepage")
    found = inspect("ann", "heat", context="homepage")
    assert (found.place, found.removed_by) == (None, ("ruled_out",))
    said = "the rule “Enough” holds it back: this user has been shown it often enough without a click"
    assert found.sentences[0] == f"It is not in the list: {said} (stage ruled_out)."


def test_a_draft_s_fatigue_is_seen_in_the_preview(site: FilmSite, clock: Any) -> None:
    with site.commit():
        Placement.objects.update(limit=2, minimum=1)
        written("fatigue", at_most=2, window=7)
    look(clock)
    look(clock)
    tasks.write_impressions()
    found = preview(draft.read(), placement="trending", user_id="ann")
    assert (ids(found.before), ids(found.after)) == (["heat", "ronin"], ["thief", "airplane"])
    in_a_week = datetime(2030, 1, 9, tzinfo=UTC).timestamp()
    later = preview(draft.read(), placement="trending", user_id="ann", moment=in_a_week)
    assert ids(later.after) == ["heat", "ronin"]


def test_what_a_draft_s_fatigue_would_change_is_measured(site: FilmSite, clock: Any) -> None:
    with site.commit():
        Placement.objects.update(limit=2, minimum=1)
        written("fatigue", at_most=2, window=7, placements=["trending"])
    for user_id in ("ann", "bob"):
        site.does(user_id, ("click", "coco"))
    for _ in range(2):
        look(clock)
    tasks.write_impressions()
    found = {one.placement: one for one in measure(draft.read()).placements}
    # Of ann's and bob's lists, ann's.
    assert (found["trending"].lists, found["trending"].changed, found["trending"].moved) == (2, 1, 2)
    assert found["homepage"].changed == 0
