from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from pytest_django import Settings

from catalog.snapshot import Catalogue
from recommender.pipeline import model_view, recipes, runner
from recommender.pipeline.model_view import ModelView
from recommender.pipeline.trace import Trace
from recommender.ranking import choosing
from recommender.ranking.choosing import Ranking
from recommender.ranking.examples import Examples
from recommender.ranking.features import features
from recommender.registry.artifacts import Bundle
from recommender.training import fitting
from recommender.training.dataset import Interactions
from recommender.training.evaluation import LIST_LENGTH
from recommender.training.fitting import fit
from tests.recommender.conftest import EXACT
from tests.recommender.worlds import catalogue_of, history_of, interactions_of, query_of

HALF = 12
USERS = 20
LENGTH = 10
CATALOGUE = catalogue_of(*({"category": "crime" if item < HALF else "comedy"} for item in range(2 * HALF)))


def two_tastes(length: int = LENGTH) -> Interactions:
    """Return users who take films of their own half in a row, each beginning elsewhere."""
    pairs = [(user, (user % 2) * HALF + (user // 2 + step) % HALF) for user in range(USERS) for step in range(length)]
    return interactions_of(*pairs, n_items=2 * HALF)


@pytest.fixture(autouse=True)
def small(settings: Settings) -> None:
    settings.RECOMMENDER_VECTOR_INDEXES = {"default": {"BACKEND": EXACT}}
    settings.RECOMMENDER_TUNING = {"users": 100, "ranked_users": 100, "minimum_users": USERS}


def test_models_are_of_all_the_data_and_measured_on_a_fifth() -> None:
    stages: list[str] = []
    fitted = fit(two_tastes(), CATALOGUE, progress=stages.append)
    assert fitted.held_out == 2 * USERS
    assert fitted.trained.meta["interactions"] == USERS * LENGTH
    assert fitted.validation is not None
    assert fitted.validation.final.users == USERS
    # Four films of his half are left to each, and he took two of them.
    assert fitted.validation.final.recall == 1.0
    first_of = {stage.partition(":")[0]: place for place, stage in reversed(list(enumerate(stages)))}
    assert first_of["tuning"] < first_of["trial"] < first_of["ranking"] < first_of["popularity"]
    ranking = fitted.trained.meta["ranking"]
    assert ranking["kind"] in ("single", "blend", "learned")
    assert ranking["quality"]["item_to_item"] > 0.5
    assert ("ranker.trees" in fitted.trained.arrays) == (ranking["kind"] == "learned")
    assert set(fitted.trained.meta["variety"]) <= {"category_diversity", "long_tail", "discoveries"}


def test_without_users_to_tune_on_every_model_is_trained_once_and_nothing_held_out(settings: Settings) -> None:
    settings.RECOMMENDER_TUNING = {"users": 0, "ranked_users": 100, "minimum_users": USERS}
    stages: list[str] = []
    fitted = fit(two_tastes(), CATALOGUE, progress=stages.append)
    assert (fitted.held_out, fitted.validation) == (0, None)
    assert fitted.trained.meta["interactions"] == USERS * LENGTH
    assert "ranking" not in fitted.trained.meta
    assert stages.count("collaborative") == 1
    assert not any(":" in stage for stage in stages)


def test_without_an_order_nothing_is_learned_from_it() -> None:
    data = replace(two_tastes(), ordered=False)
    fitted = fit(data, CATALOGUE)
    arrays = {name.partition(".")[0] for name in fitted.trained.arrays}
    assert {"item_to_item", "random_walk", "collaborative"} < arrays
    assert not {"next_items", "session"} & arrays
    assert set(fitted.trained.meta["half_lives"].values()) == {None}
    assert fitted.validation is not None
    assert not {"next_items", "session"} & set(fitted.validation.sources)
    assert set(fitted.trained.meta["ranking"]["columns"]).isdisjoint({"next_items", "session"})


def test_leave_one_out_holds_out_one_of_each_user() -> None:
    assert fit(two_tastes(), CATALOGUE, way="leave-one-out").held_out == USERS


def test_too_few_users_keep_the_recipe_and_are_still_measured(settings: Settings) -> None:
    settings.RECOMMENDER_TUNING = {"users": 100, "ranked_users": 100, "minimum_users": USERS + 1}
    fitted = fit(two_tastes(), CATALOGUE)
    assert "ranking" not in fitted.trained.meta
    assert fitted.trained.meta["variety"] == {"category_diversity": 0.1}
    assert fitted.validation is not None
    assert fitted.validation.final.users == USERS
    assert fitted.trained.meta["half_lives"]["item_to_item"] == 6.0


def test_histories_too_short_to_hold_out_any_are_only_trained_on() -> None:
    fitted = fit(two_tastes(length=4), CATALOGUE)
    assert (fitted.held_out, fitted.validation) == (0, None)
    assert "ranking" not in fitted.trained.meta
    assert "item_to_item.data" in fitted.trained.arrays


def test_without_events_there_is_nothing_to_measure() -> None:
    nothing = two_tastes().take(np.zeros(USERS * LENGTH, dtype=bool))
    fitted = fit(nothing, CATALOGUE)
    assert (fitted.held_out, fitted.validation) == (0, None)


def test_a_recipe_whose_sources_know_nobody_learns_no_ranking(settings: Settings) -> None:
    settings.RECOMMENDER_RECIPES = {"personalized": {"sources": {"session": {}}, "scorers": ["tuned_ranking"]}}
    fitted = fit(replace(two_tastes(), ordered=False), CATALOGUE)
    assert "ranking" not in fitted.trained.meta
    assert fitted.validation is not None
    assert fitted.validation.final.ndcg == 0.0


def test_the_ranker_learns_from_a_sample_of_the_users(settings: Settings) -> None:
    settings.RECOMMENDER_TUNING = {"users": 100, "ranked_users": 7, "minimum_users": 5}
    first, second = (fit(two_tastes(), CATALOGUE) for _ in range(2))
    assert first.validation is not None
    assert first.validation.final.users == 7
    assert second.trained.meta["ranking"] == first.trained.meta["ranking"]


def test_what_the_ranker_learns_from_is_what_serving_will_ask_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The features of an example are those of a request with the same history, made as serving makes it."""
    views: list[ModelView] = []
    compared: list[int] = []
    chosen = choosing.choose
    data = two_tastes()
    past = data.take(np.tile(np.arange(LENGTH) < LENGTH - 2, USERS))

    def build(bundle: Bundle, catalogue: Catalogue) -> ModelView:
        views.append(model_view.build(bundle, catalogue))
        return views[-1]

    def choose(examples: Examples, seed: int) -> Ranking:
        for user in (0, 7, USERS - 1):
            span = slice(int(examples.starts[user]), int(examples.starts[user + 1]))
            of_user = past.users == user
            request = query_of(
                CATALOGUE,
                model=views[0],
                history=history_of(past.items[of_user][::-1].tolist()),
                limit=LIST_LENGTH,
                asked_at=float(past.occurred_at[of_user].max()),
            )
            candidates = runner.gather(recipes.get("personalized"), request, Trace())
            assert candidates.rows.tolist() == examples.rows[span].tolist()
            served = features(request, candidates, examples.columns)
            assert served == pytest.approx(examples.features[span], nan_ok=True, abs=1e-6)
            compared.append(user)
        return chosen(examples, seed)

    monkeypatch.setattr(fitting, "model_view", SimpleNamespace(build=build))
    monkeypatch.setattr(choosing, "choose", choose)
    fit(data, CATALOGUE)
    assert compared == [0, 7, USERS - 1]
