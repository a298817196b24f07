"""Every reason of 1,000 recommendations, put to the proof that people would put it to: the item had never been."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from catalog import snapshot
from catalog.snapshot import Catalogue
from recommender.contracts import History, Query
from recommender.pipeline import model_view, recipes, runner
from recommender.pipeline.explanations import explain
from recommender.pipeline.trace import Trace
from recommender.training import trial
from recommender.training.dataset import Interactions, interactions
from recommender.training.evaluation import asking
from recommender.training.fitting import fit

USERS, ITEMS, EVENTS, GENRES = 150, 120, 25, 6
ASKED = 50
"""Users whose lists of 20 are looked at: 1,000 recommendations."""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    records = [
        {"id": pk, "item_id": f"i{pk}", "title": f"Title {pk}", "category": f"genre {pk % GENRES}"}
        for pk in range(1, ITEMS + 1)
    ]
    return snapshot.build(records, revision=1)


@pytest.fixture(scope="module")
def data() -> Interactions:
    """Return histories that stay in one genre for a while and then move on to the next."""
    random = np.random.default_rng(4)
    users, items = [], []
    for user in range(USERS):
        genre, taken = int(random.integers(GENRES)), set[int]()
        while len(taken) < EVENTS:
            item = int(random.integers(ITEMS // GENRES)) * GENRES + genre
            if item not in taken:
                taken.add(item)
                users.append(user)
                items.append(item)
            if random.random() < 0.15:
                genre = (genre + 1) % GENRES
    n = len(users)
    return interactions(
        users=np.array(users),
        items=np.array(items),
        weights=np.ones(n, dtype=np.float32),
        occurred_at=np.arange(n, dtype=np.float64),
        n_users=USERS,
        n_items=ITEMS,
    )


def test_without_the_item_a_reason_names_the_recommendation_scores_less(
    catalogue: Catalogue, data: Interactions
) -> None:
    fitted = fit(data, catalogue)
    recipe = recipes.get("personalized")
    shown = named = 0
    with trial.opened(fitted.trained) as bundle:
        query_of = asking(data, catalogue, model_view.build(bundle, catalogue))
        for user in range(ASKED):
            query = query_of(user)
            candidates = runner.gather(recipe, query, Trace())
            made = runner.rank(recipe, query, candidates, Trace())
            ranked = query.scratch[runner.RANKED]
            before = dict(zip(ranked.rows.tolist(), ranked.score.tolist(), strict=True))
            without: dict[int, dict[int, float]] = {}
            for row, reason in zip(made.rows.tolist(), explain(recipe, query, made), strict=True):
                shown += 1
                if reason.because_of is None:
                    continue
                assert reason.because_of in query.history.rows
                if reason.because_of not in without:
                    again = runner.rescore(recipe, _without(query, reason.because_of), candidates.rows)
                    without[reason.because_of] = dict(zip(again.rows.tolist(), again.score.tolist(), strict=True))
                assert without[reason.because_of][row] < before[row]
                named += 1
    assert shown == 20 * ASKED
    assert named > 0.7 * shown


def _without(query: Query, row: int) -> Query:
    """Return the query anew, its history without `row`: nothing is shared with the code under test."""
    history = query.history
    kept = history.rows != row
    rest = History(
        rows=history.rows[kept],
        weights=history.weights[kept],
        occurred_at=history.occurred_at[kept],
        seen=history.seen,
    )
    return replace(query, history=rest, scratch={})
