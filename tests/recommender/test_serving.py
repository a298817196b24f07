from __future__ import annotations

import logging
from typing import Any

import pytest
import redis
from pytest_django import Settings

from catalog.models import Item
from experiments import lifecycle
from experiments.models import Experiment, Exposure, Metric, Variant
from interactions import features
from interactions.models import Impression, UserProfile
from recommender import serving, tasks
from recommender.exceptions import ModelUnavailable, RequestError, UnknownItem, UnknownPlacement
from recommender.models import ActiveModel, Placement
from recommender.rules import versions
from tests.recommender.film_site import POPULAR, FilmSite, ids
from tests.recommender.rule_writing import published, written


def test_an_unknown_user_gets_the_popular_list_and_is_told_so(site: FilmSite) -> None:
    made = serving.recommend("stranger")
    # Most popular first; a second film of a category keeps 0.96 of its score, a third 0.928 (diversity of 0.2).
    assert ids(made)[:3] == ["heat", "ronin", "thief"]
    assert sorted(ids(made)) == sorted(POPULAR)
    assert (made.fallback, made.fallback_reason, made.recipe) == (True, "unknown_user", "trending")
    assert (made.placement, made.title, made.model_version) == ("homepage", "For you", "v1")
    assert {item.reason for item in made.items} == {"Popular right now"}


def test_a_user_without_history_gets_the_popular_list(site: FilmSite) -> None:
    UserProfile.objects.create(user_id="ann")
    made = serving.recommend("ann")
    assert (made.fallback, made.fallback_reason, ids(made)[0]) == (True, "no_history", "heat")


def test_nobody_in_particular_gets_the_popular_list_and_leaves_no_trace(site: FilmSite) -> None:
    made = serving.recommend("")
    assert (made.fallback, ids(made)[0]) == (True, "heat")
    assert tasks.write_impressions() == 0


def test_without_a_model_the_popular_list_answers(site: FilmSite) -> None:
    site.does("ann", ("watch", "alien"))
    with site.commit():
        ActiveModel.objects.all().delete()
    made = serving.recommend("ann")
    assert (made.fallback, made.fallback_reason, made.model_version) == (True, "no_model", "")
    assert ids(made)[0] == "heat"
    assert "alien" not in ids(made)


def test_the_first_event_makes_the_list_personal(site: FilmSite) -> None:
    assert serving.recommend("ann").fallback
    site.does("ann", ("watch", "alien"))
    made = serving.recommend("ann")
    assert (made.fallback, made.fallback_reason, made.recipe) == (False, "", "personalized")
    first = made.items[0]
    assert (first.item_id, first.source) == ("arrival", "item_to_item")
    assert 0.5 < first.score < 1
    assert first.reason == "Because you watched Alien"
    assert "alien" not in ids(made)
    assert [item.score for item in made.items] == sorted((item.score for item in made.items), reverse=True)


def test_the_reason_names_what_really_lifted_the_item(site: FilmSite) -> None:
    """Without the event that the reason names, the item loses its place."""
    site.does("ann", ("watch", "alien"), ("watch", "heat"))
    with_both = {item.item_id: item for item in serving.recommend("ann").items}
    assert with_both["arrival"].reason == "Because you watched Alien"
    assert with_both["ronin"].reason == with_both["thief"].reason == "Because you watched Heat"
    site.does("bob", ("watch", "heat"))
    without_alien = {item.item_id: item for item in serving.recommend("bob").items}
    assert without_alien["arrival"].score < with_both["arrival"].score
    assert without_alien["arrival"].reason == "Popular right now"
    assert without_alien["ronin"].reason == "Because you watched Heat"


def test_a_disliked_film_brings_nothing_like_it(site: FilmSite) -> None:
    site.does("ann", ("watch", "alien"), ("not_interested", "alien"))
    made = serving.recommend("ann")
    assert (made.fallback, made.fallback_reason) == (True, "no_history")
    assert "alien" not in ids(made)


def test_a_user_who_withholds_consent_gets_the_popular_list_and_leaves_no_trace(site: FilmSite) -> None:
    site.does("ann", ("watch", "alien"))
    with site.commit():
        UserProfile.objects.update(consent=UserProfile.Consent.WITHHELD)
    features.forget(["ann"])
    made = serving.recommend("ann")
    assert (made.fallback, made.fallback_reason, ids(made)[0]) == (True, "no_history", "heat")
    assert tasks.write_impressions() == 0


def test_a_hidden_or_deleted_film_is_gone_on_the_next_request(site: FilmSite) -> None:
    site.does("ann", ("watch", "alien"))
    assert ids(serving.recommend("ann"))[0] == "arrival"
    with site.commit():
        Item.objects.filter(item_id="arrival").update(is_active=False)
    assert "arrival" not in ids(serving.recommend("ann"))
    with site.commit():
        Item.objects.get(item_id="heat").delete()
    assert "heat" not in ids(serving.recommend("ann"))
    assert "heat" not in ids(serving.recommend("stranger"))


def test_a_rule_takes_effect_on_the_next_request(site: FilmSite) -> None:
    site.does("ann", ("watch", "alien"))
    serving.recommend("ann")
    with site.commit():
        written("pin", items=["coco"], position=2)
        hide = published("hide", where="category=crime")
    made = serving.recommend("ann")
    assert (ids(made)[1], made.items[1].source, made.items[1].reason) == ("coco", "rule", "Picked by our editors")
    assert not {"heat", "ronin", "thief"} & set(ids(made))
    with site.commit():
        hide.delete()
    # Nobody has published that yet.
    assert "heat" not in ids(serving.recommend("ann"))
    with site.commit():
        versions.publish_draft()
    assert "heat" in ids(serving.recommend("ann"))


def test_a_rule_of_one_placement_leaves_the_others_alone(site: FilmSite) -> None:
    with site.commit():
        published("hide", where="category=crime", placements=["trending"])
    assert ids(serving.recommend("ann", kind="trending"))[0] == "airplane"
    assert ids(serving.recommend("ann"))[0] == "heat"


def test_where_little_is_included_the_row_is_filled_with_it(site: FilmSite, settings: Any) -> None:
    # Each source proposes one film; most of them are shut out.
    settings.RECOMMENDER_CANDIDATES_PER_SOURCE = 1
    with site.commit():
        published("include_only", where="category=family")
    for kind in ("trending", "new"):
        assert sorted(ids(serving.recommend("ann", kind=kind, limit=2))) == ["coco", "up"]


def test_excluded_films_and_limits_are_obeyed(site: FilmSite) -> None:
    made = serving.recommend("ann", limit=2, exclude=["heat", "no such film", "thief"])
    assert ids(made) == ["ronin", "airplane"]
    assert len(ids(serving.recommend("ann", limit=1))) == 1


@pytest.mark.parametrize("limit", [0, -1, 101])
def test_a_limit_out_of_range_is_refused(site: FilmSite, limit: int) -> None:
    with pytest.raises(RequestError, match=rf"^limit must be 1\.\.100, not {limit}\.$"):
        serving.recommend("ann", limit=limit)


def test_similar_films_are_about_the_film_not_the_user(site: FilmSite) -> None:
    site.does("ann", ("watch", "ronin"))
    made = serving.similar_to("heat", user_id="ann", limit=2)
    # Its neighbours by both matrix and category, also what the user has seen; the film itself is not in it.
    assert sorted(ids(made)) == ["ronin", "thief"]
    assert {item.reason for item in made.items} == {"Similar to Heat"}
    assert (made.title, made.seed_item_id, made.placement) == ("Similar to Heat", "heat", "product_page")
    assert not made.fallback


def test_a_film_newer_than_the_model_has_popular_ones_beside_it_never_itself(site: FilmSite) -> None:
    with site.commit():
        Item.objects.create(item_id="dune", title="Dune", category="scifi", popularity=99)
    made = serving.similar_to("dune")
    assert (made.fallback, made.fallback_reason, made.seed_item_id) == (True, "no_model", "dune")
    assert ids(made)[0] == "heat"
    assert "dune" not in ids(made)
    assert made.title == "Trending now"


def test_because_you_watched_names_a_film_of_the_history(site: FilmSite) -> None:
    site.does("ann", ("watch", "alien"), ("view", "heat"))
    made = serving.recommend("ann", kind="because_you_watched")
    assert (made.seed_item_id, made.title) == ("alien", "Because you watched Alien")
    assert (ids(made)[0], made.items[0].reason) == ("arrival", "Because you watched Alien")


def test_because_you_watched_never_claims_what_nobody_watched(site: FilmSite) -> None:
    site.does("ann", ("view", "heat"))
    made = serving.recommend("ann", kind="because_you_watched")
    assert (made.fallback, made.fallback_reason, made.title) == (True, "no_history", "Trending now")
    foreign = serving.recommend("ann", kind="because_you_watched", seed_item_id="alien")
    assert foreign.items[0].reason == "Similar to Alien"


def test_a_page_shows_no_film_twice(site: FilmSite) -> None:
    site.does("ann", ("watch", "alien"), ("watch", "heat"))
    with site.commit():
        Placement.objects.filter(name="homepage").update(limit=2, minimum=1)
        Placement.objects.exclude(name="homepage").update(limit=2, minimum=1)
    lists = serving.page("home", user_id="ann")
    shown = [item_id for made in lists for item_id in ids(made)]
    assert len(shown) == len(set(shown)) > 4
    assert [made.placement for made in lists][:1] == ["homepage"]
    watched = [made for made in lists if made.placement == "because_you_watched"]
    assert {made.seed_item_id for made in watched} <= {"alien", "heat"}
    assert all(made.title == f"Because you watched {made.seed_item_id.title()}" for made in watched)


def test_only_rows_that_are_shown_leave_impressions(site: FilmSite) -> None:
    """The first row takes all films: the others have too few left, and nobody sees them."""
    site.does("ann", ("watch", "alien"))
    lists = serving.page("home", user_id="ann")
    assert [made.placement for made in lists] == ["homepage"]
    assert tasks.write_impressions() == len(lists[0].items) == 8
    assert set(Impression.objects.values_list("placement", flat=True)) == {"homepage"}


def test_a_row_of_a_newer_version_is_left_out_of_a_page(site: FilmSite, caplog: pytest.LogCaptureFixture) -> None:
    """Its recipe is not known here, while the site is being deployed."""
    before = [made.placement for made in serving.page("home", user_id="ann")]
    with site.commit():
        Placement.objects.create(name="later", page="home", recipe="invented_later", title="Later", position=0)
        Placement.objects.create(name="filled", page="home", recipe="trending", fallback="invented_later", position=0)
    assert [made.placement for made in serving.page("home", user_id="ann")] == before
    assert "filled, later" in caplog.text
    for name in ("later", "filled"):
        with pytest.raises(UnknownPlacement, match="there are: homepage"):
            serving.recommend("ann", context=name)


def test_a_page_of_an_item_is_about_it(site: FilmSite) -> None:
    with site.commit():
        Placement.objects.filter(name="product_page").update(minimum=2)
    lists = serving.page("item", user_id="", seed_item_id="heat", limit=2)
    assert [made.title for made in lists] == ["Similar to Heat"]
    assert serving.page("item", user_id="") == []


def test_what_is_not_there_is_refused_by_name(site: FilmSite) -> None:
    with pytest.raises(UnknownItem, match=r"^There is no item 'dune'\.$"):
        serving.similar_to("dune")
    with pytest.raises(UnknownPlacement, match=r"^There is no active placement 'attic'; there are: .*homepage.*\.$"):
        serving.recommend("ann", context="attic")
    with pytest.raises(UnknownPlacement, match=r"^There is no page 'attic'; there are: home, item\.$"):
        serving.page("attic", user_id="ann")
    with pytest.raises(RequestError, match=r"^type must be one of personalized, .*, not 'best'\.$"):
        serving.recommend("ann", kind="best")
    with pytest.raises(RequestError, match=r"^type=similar needs item_id"):
        serving.recommend("ann", kind="similar")


def test_a_title_may_hold_braces(site: FilmSite) -> None:
    with site.commit():
        Placement.objects.filter(name="homepage").update(title="100 % {you} {")
        Placement.objects.filter(name="product_page").update(title="{seed} {0} {seed.__class__}")
    assert serving.recommend("ann").title == "100 % {you} {"
    assert serving.similar_to("heat").title == "Heat {0} {seed.__class__}"


def test_a_second_request_asks_postgres_nothing(site: FilmSite, django_assert_num_queries: Any) -> None:
    site.does("ann", ("watch", "alien"), ("watch", "heat"))
    first = serving.recommend("ann")
    page = serving.page("home", user_id="ann")
    similar = serving.similar_to("heat")
    with django_assert_num_queries(0):
        second = serving.recommend("ann")
        assert ids(serving.page("home", user_id="ann")[0]) == ids(page[0])
        assert ids(serving.similar_to("heat")) == ids(similar)
    assert (ids(second), second.request_id != first.request_id) == (ids(first), True)


def test_with_redis_away_lists_come_all_the_same(site: FilmSite, dead_redis: redis.Redis) -> None:
    site.does("ann", ("watch", "alien"))
    made = serving.recommend("ann")
    assert (made.fallback, ids(made)[0]) == (False, "arrival")
    # The rows went straight to Postgres.
    assert Impression.objects.filter(request_id=made.request_id).count() == len(made.items)


def test_with_postgres_and_redis_away_the_last_state_answers(
    site: FilmSite, monkeypatch: pytest.MonkeyPatch, dead_redis: redis.Redis
) -> None:
    from django.db import OperationalError

    def refuse(*arguments: object, **named: object) -> None:
        raise OperationalError("the server closed the connection")

    with monkeypatch.context() as away:
        away.setattr(features, "load", refuse)
        with pytest.raises(ModelUnavailable):
            serving.recommend("ann")
    serving.recommend("ann")
    monkeypatch.setattr(features, "load", refuse)
    made = serving.recommend("ann")
    assert (made.fallback, made.fallback_reason, ids(made)[0]) == (True, "unknown_user", "heat")


def test_the_trace_comes_only_when_asked_for(site: FilmSite) -> None:
    site.does("ann", ("watch", "alien"))
    assert serving.recommend("ann").trace is None
    trace = serving.recommend("ann", explain=True).trace
    assert trace is not None
    steps = {(step["kind"], step["stage"]): step for step in trace["stages"]}
    assert steps["filter", "seen"]["removed"] == ["alien"]
    assert steps["scorer", "weighted_blend"]["out"] == 8


# --- Experiments ---------------------------------------------------------------------------------------------------


def run_experiment(site: FilmSite, treatment: str) -> None:
    with site.commit():
        metric = Metric.objects.create(name="watches", event_type="watch")
        experiment = Experiment.objects.create(
            experiment_id="exp", name="Experiment", placement="homepage", primary_metric=metric
        )
        Variant.objects.create(experiment=experiment, name="control", position=0)
        Variant.objects.create(experiment=experiment, name="treatment", position=1, configuration={"recipe": treatment})
        lifecycle.start("exp")


def test_an_answer_says_which_variant_it_is_of_and_impressions_keep_it(site: FilmSite) -> None:
    run_experiment(site, "trending")
    users = [f"user-{number}" for number in range(8)]
    for user in users:
        site.does(user, ("watch", "alien"))
    made = {user: serving.recommend(user) for user in users}
    assert {one.experiment_id for one in made.values()} == {"exp"}
    assert {one.variant for one in made.values()} == {"control", "treatment"}
    for one in made.values():
        # The treatment is not personal.
        assert ids(one)[0] == ("arrival" if one.variant == "control" else "heat")
    assert {serving.recommend(user).variant for user in users[:1]} == {made[users[0]].variant}

    assert tasks.write_impressions() == 9 * 8
    first = made[users[0]]
    rows = Impression.objects.filter(request_id=first.request_id).order_by("position")
    assert [row.item_id for row in rows] == [site.pks[item_id] for item_id in ids(first)]
    assert {(row.user_id_text, row.placement, row.model_version) for row in rows} == {("user-0", "homepage", "v1")}
    assert {(row.experiment_id, row.phase, row.variant) for row in rows} == {("exp", 1, first.variant)}
    assert [row.source for row in rows] == [item.source for item in first.items]
    assert dict(Exposure.objects.values_list("unit", "variant")) == {user: one.variant for user, one in made.items()}


def test_users_without_a_history_take_part_in_no_arm(site: FilmSite) -> None:
    """The treatment could answer them without falling back, the control could not: the arms would differ in users."""
    run_experiment(site, "trending")
    for number in range(8):
        made = serving.recommend(f"user-{number}")
        assert (made.experiment_id, made.variant, made.fallback) == ("", "", True)
    tasks.write_impressions()
    assert Exposure.objects.count() == 0


def test_previews_join_nothing(site: FilmSite) -> None:
    run_experiment(site, "trending")
    site.does("ann", ("watch", "alien"))
    made = serving.recommend("ann", record=False)
    assert (made.experiment_id, ids(made)[0]) == ("", "arrival")
    assert tasks.write_impressions() == 0


def test_another_kind_of_list_is_not_in_the_experiment(site: FilmSite) -> None:
    run_experiment(site, "trending")
    site.does("ann", ("watch", "alien"))
    assert serving.recommend("ann", kind="new").experiment_id == ""
    assert serving.recommend("ann", kind="new", context="homepage").experiment_id == ""


def test_a_variant_whose_recipe_does_not_exist_shows_nobody_anything(
    site: FilmSite, caplog: pytest.LogCaptureFixture
) -> None:
    run_experiment(site, "trending")
    with site.commit():
        Variant.objects.filter(name="treatment").update(configuration={"recipe": "divers"})
    users = [f"user-{number}" for number in range(8)]
    for user in users:
        site.does(user, ("watch", "alien"))
    with caplog.at_level(logging.ERROR):
        made = [serving.recommend(user) for user in users]
    assert {one.variant for one in made} == {"control", ""}
    assert {ids(one)[0] for one in made} == {"arrival"}
    assert "variant treatment shows nobody anything: There is no recipe 'divers'" in caplog.text


def test_with_redis_away_exposures_are_kept_too(site: FilmSite, dead_redis: redis.Redis) -> None:
    run_experiment(site, "trending")
    site.does("ann", ("watch", "alien"))
    made = serving.recommend("ann")
    assert dict(Exposure.objects.values_list("unit", "variant")) == {"ann": made.variant}


# --- Diversity -----------------------------------------------------------------------------------------------------

BY_POPULARITY = {"sources": {"popular": {}}, "scorers": ["weighted_blend"]}
VARIED = ["heat", "airplane", "alien", "up", "ronin", "thief", "clue", "arrival", "coco"]
"""One film of each category first, at 0.9 of 1; the others by what is left of their relevance."""


def test_a_placement_s_own_diversity_overrides_the_recipe_s(site: FilmSite, settings: Settings) -> None:
    by_category = {**BY_POPULARITY, "rerankers": [{"mmr": {"strength": 0, "by": "category"}}]}
    settings.RECOMMENDER_RECIPES = {"personalized": by_category}
    assert ids(serving.recommend("ann")) == POPULAR
    with site.commit():
        Placement.objects.filter(name="homepage").update(diversity=0.9)
    assert ids(serving.recommend("ann")) == VARIED


def test_a_variant_s_diversity_overrides_the_placement_s(
    site: FilmSite, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.RECOMMENDER_RECIPES = {"personalized": {**BY_POPULARITY, "rerankers": [{"mmr": {"by": "category"}}]}}
    run_experiment(site, "personalized")
    with site.commit():
        Placement.objects.filter(name="homepage").update(diversity=0)
        Variant.objects.filter(name="treatment").update(configuration={"diversity": 0.9})
    made = [serving.recommend(f"user-{number}", record=True) for number in range(8)]
    assert {(one.variant, tuple(ids(one))) for one in made} == {
        ("control", tuple(POPULAR)),
        ("treatment", tuple(VARIED)),
    }
    with site.commit():
        Variant.objects.filter(name="treatment").update(configuration={"diversity": "much"})
    with caplog.at_level(logging.ERROR):
        made = [serving.recommend(f"user-{number}") for number in range(8)]
    assert {(one.variant, tuple(ids(one))) for one in made} == {("control", tuple(POPULAR)), ("", tuple(POPULAR))}
    assert "variant treatment shows nobody anything: diversity must be a number of 0 to 1, not 'much'." in caplog.text
