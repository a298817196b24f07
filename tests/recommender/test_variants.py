from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.core.exceptions import ValidationError

from experiments import lifecycle
from experiments.exceptions import ExperimentRefused
from experiments.models import Experiment, Exposure, Metric, Variant
from interactions.models import Impression
from recommender import serving, tasks
from recommender.contracts import RecommendationList
from recommender.models import ModelVersion, Placement
from recommender.variants import SETTINGS, problems
from tests.recommender import film_site
from tests.recommender.film_site import FilmSite
from tests.recommender.rule_writing import published

USERS = [f"user-{number}" for number in range(8)]
BY_WEIGHT = {
    "personalized": {
        "sources": {"popular": {"weight": 1.0}, "new_items": {"weight": 0.0}},
        "scorers": ["weighted_blend"],
    },
    "popular": {"sources": {"popular": {}}, "scorers": ["weighted_blend"]},
}


def run(site: FilmSite, configuration: dict[str, Any], kind: str = Experiment.Kind.SPLIT) -> None:
    """Start an experiment whose control is the placement as it is."""
    with site.commit():
        metric = Metric.objects.create(name="watches", event_type="watch")
        experiment = Experiment.objects.create(
            experiment_id="exp", name="Experiment", placement="homepage", primary_metric=metric, kind=kind
        )
        Variant.objects.create(experiment=experiment, name="control", position=0)
        Variant.objects.create(experiment=experiment, name="treatment", position=1, configuration=configuration)
        lifecycle.start("exp")
    for user in USERS:
        site.does(user, ("watch", "alien"))


def ids(made: RecommendationList) -> list[str]:
    return [item.item_id for item in made.items]


def shown() -> dict[str, RecommendationList]:
    """Return one list of each arm."""
    found = {made.variant: made for made in (serving.recommend(user) for user in USERS)}
    assert set(found) == {"control", "treatment"}
    return found


def test_weights_rank_by_their_blend(site: FilmSite, settings: Any) -> None:
    settings.RECOMMENDER_RECIPES = BY_WEIGHT
    run(site, {"weights": {"popular": 0, "new_items": 1}})
    lists = shown()
    assert ids(lists["control"])[:3] != ids(lists["treatment"])[:3]
    assert sorted(ids(lists["control"])) == sorted(ids(lists["treatment"]))
    newest = [item.card.year or 0 for item in lists["treatment"].items]
    assert newest == sorted(newest, reverse=True)


def test_rules_can_be_off(site: FilmSite) -> None:
    with site.commit():
        published("pin", items=["coco"], position=1)
    run(site, {"rules": False})
    lists = shown()
    assert ids(lists["control"])[0] == "coco"
    assert ids(lists["treatment"])[0] != "coco"


def test_an_arm_without_recommendations_exposes_its_users(site: FilmSite) -> None:
    run(site, {"nothing": True})
    lists = {user: serving.recommend(user) for user in USERS}
    assert {made.variant: bool(made.items) for made in lists.values()} == {"control": True, "treatment": False}
    tasks.write_impressions()
    assert dict(Exposure.objects.values_list("unit", "variant")) == {user: made.variant for user, made in lists.items()}
    assert set(Impression.objects.values_list("variant", flat=True)) == {"control"}


def test_on_a_page_it_is_left_out_and_exposes_all_the_same(site: FilmSite) -> None:
    run(site, {"nothing": True})
    with site.commit():
        Placement.objects.exclude(name="homepage").update(is_active=False)
    rows = {user: serving.page(Placement.objects.get(name="homepage").page, user_id=user) for user in USERS}
    tasks.write_impressions()
    exposed = dict(Exposure.objects.values_list("unit", "variant"))
    assert set(exposed) == set(USERS)
    assert {user: bool(lists) for user, lists in rows.items()} == {
        user: variant == "control" for user, variant in exposed.items()
    }


def test_several_variants_are_mixed_into_one_list(site: FilmSite) -> None:
    """Each place is that of the variant that drafted it, which the impression keeps; everybody is exposed alike."""
    run(site, {"recipe": "trending"}, kind=Experiment.Kind.INTERLEAVING)
    made = {user: serving.recommend(user) for user in USERS}
    assert {(one.experiment_id, one.variant) for one in made.values()} == {("exp", "interleaved")}
    assert ids(serving.recommend("user-0")) == ids(made["user-0"])
    tasks.write_impressions()
    assert set(Exposure.objects.values_list("variant", flat=True)) == {"interleaved"}
    for user, one in made.items():
        rows = list(Impression.objects.filter(request_id=one.request_id).order_by("position"))
        teams = [row.variant for row in rows]
        assert [row.item_id for row in rows] == [site.pks[item_id] for item_id in ids(one)], user
        assert {teams[0], teams[1]} == {"control", "treatment"}
        assert set(teams) <= {"control", "treatment", "interleaved"}
        assert {row.propensity for row in rows} == {0.0}
    first = {ids(one)[0] for one in made.values()}
    assert first == {"arrival", "heat"}


@pytest.mark.parametrize(
    ("configuration", "problem"),
    [
        ({"recpie": "x"}, f"There is no setting 'recpie'; there are {', '.join(SETTINGS)}."),
        ({"recipe": "divers"}, "There is no recipe 'divers'; there are "),
        ({"diversity": 2}, "diversity must be a number of 0 to 1, not 2."),
        ({"diversity": True}, "diversity must be a number of 0 to 1, not True."),
        ({"search_effort": 0}, "search_effort must be a number of 0.01 to 20, not 0."),
        ({"rules": "off"}, "rules must be true or false, not 'off'."),
        ({"nothing": 1}, "nothing must be true or false, not 1."),
        ({"weights": [1]}, "weights must be an object of numbers by source, not [1]."),
        ({"weights": {"popular": -1}}, "The weight of 'popular' must be a number of 0 or more, not -1."),
        ({"weights": {"popullar": 1}}, "No recipe has a source 'popullar'."),
    ],
)
def test_what_cannot_be_applied_is_said_at_the_field(
    site: FilmSite, configuration: dict[str, Any], problem: str
) -> None:
    [found] = problems(configuration)
    assert found.startswith(problem)
    variant = Variant(name="treatment", configuration=configuration)
    with pytest.raises(ValidationError) as error:
        variant.clean()
    assert error.value.message_dict == {"configuration": [found]}
    with pytest.raises(ExperimentRefused, match="The configuration of variant 'treatment'"):
        run(site, configuration)
    assert Experiment.objects.get().status == "draft"


def test_everything_that_is_offered_can_be_set() -> None:
    assert not problems(
        {"recipe": "trending", "diversity": 0.5, "weights": {"popular": 2}, "search_effort": 0.5, "rules": False}
    )
    assert not problems({})


def test_weights_of_sources_that_the_recipe_lacks_show_nobody_anything(
    site: FilmSite, caplog: pytest.LogCaptureFixture
) -> None:
    run(site, {"recipe": "trending", "weights": {"content": 1}})
    assert {serving.recommend(user).variant for user in USERS} == {"control", ""}
    assert "Recipe 'trending' has no source content; it has trending, popular." in caplog.text


def test_a_mixed_list_cannot_lend_its_name() -> None:
    with pytest.raises(ValidationError, match="is what a mixed list is called"):
        Variant(name="interleaved").clean()


def test_request_ids_stay_apart(site: FilmSite) -> None:
    """Clicks are credited by the request: two of them never share one."""
    run(site, {"recipe": "trending"}, kind=Experiment.Kind.INTERLEAVING)
    found: set[UUID] = {serving.recommend("user-0").request_id for _ in range(5)}
    assert len(found) == 5


def test_another_model_version_can_be_tried(site: FilmSite) -> None:
    """Version 2 has forgotten what goes with Alien; version 1 is tried against it."""
    with site.commit():
        [first] = ModelVersion.objects.all()
        pairs = dict(film_site.PAIRS)
        film_site.PAIRS.clear()
        try:
            site.publish()
        finally:
            film_site.PAIRS.update(pairs)
    run(site, {"model_version": first.name})
    lists = shown()
    assert (lists["control"].model_version, lists["treatment"].model_version) == ("v2", "v1")
    assert ids(lists["treatment"])[0] == "arrival"
    assert ids(lists["control"]) != ids(lists["treatment"])
    tasks.write_impressions()
    assert set(Impression.objects.values_list("variant", "model_version")) == {("control", "v2"), ("treatment", "v1")}


def test_nobody_takes_part_before_the_version_is_open(site: FilmSite, caplog: pytest.LogCaptureFixture) -> None:
    run(site, {"model_version": "v1"})
    ModelVersion.objects.update(state=ModelVersion.State.RETIRED)
    assert {serving.recommend(user).variant for user in USERS} == {""}
    assert "an experiment names the model version v1, which is not there" in caplog.text


def test_a_version_that_is_not_there_is_said_at_the_field(site: FilmSite) -> None:
    variant = Variant(name="treatment", configuration={"model_version": "v9"})
    with pytest.raises(ValidationError, match="There is no model version 'v9' that is ready"):
        variant.clean()
    assert problems({"model_version": 9}) == ["model_version must be a version's name, not 9."]
