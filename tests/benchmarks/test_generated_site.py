"""What is generated is what training would have made, and can be served."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from pytest_django import Settings

from recommender import serving
from recommender.registry import active, shapes
from recommender.training.train import Trained, train
from recommender.training.trial import opened
from tests.benchmarks import generated_site
from tests.recommender.worlds import catalogue_of, interactions_of

ITEMS = 40


def kinds(made: Trained) -> dict[str, tuple[str, int]]:
    """Return dtype and number of axes of each array; but for the words of items, of which those generated have none."""
    return {
        name: (array.dtype.str, array.ndim)
        for name, array in made.arrays.items()
        if not name.startswith(("content.terms", "content.idf", "content.components", "ranker."))
    }


def generated() -> Trained:
    rng = np.random.default_rng(1)
    return generated_site.model(rng.permutation(ITEMS), np.arange(ITEMS) + 7, rng)


def test_the_model_has_what_training_makes() -> None:
    catalogue = catalogue_of(*({"tags": [f"tag {row % 5}"]} for row in range(ITEMS)))
    taken = [(user, (user + step) % ITEMS) for user in range(20) for step in range(6)]
    trained = train(interactions_of(*taken, n_items=ITEMS), catalogue.pks, catalogue.cards)
    made = generated()
    assert kinds(made) == kinds(trained)
    assert set(made.indexes) == set(trained.indexes)
    assert set(made.meta) - {"ranking", "variety"} <= set(trained.meta)


def test_its_parts_fit_together_and_are_the_same_every_time() -> None:
    made, again = generated(), generated()
    with opened(made) as bundle:
        shapes.check(bundle.arrays, ITEMS, bundle.indexes)
    assert all(np.array_equal(array, again.arrays[name]) for name, array in made.arrays.items())
    starts, columns = made.arrays["session.indptr"], made.arrays["session.indices"]
    rows = [columns[start:end] for start, end in pairwise(starts)]
    assert all((np.diff(row) > 0).all() for row in rows)
    # At most a quarter of the items, however often one was taken.
    assert {len(row) for row in rows} == {ITEMS // 4}


@pytest.mark.usefixtures("committing_database")
def test_a_site_is_filled_and_served(settings: Settings, tmp_path: Path) -> None:
    settings.RECOMMENDER_MODEL_DIRECTORY = str(tmp_path / "models")
    active.forget()
    (tmp_path / "events").mkdir()
    # The second takes the place of the first.
    for items in (50, 400):
        generated_site.fill(items, tmp_path / "events", lambda step: None)
    made = serving.recommend("u0", limit=20, explain=True)
    assert (made.model_version, made.fallback, len(made.items)) == ("v2", False, 20)
    assert made.trace is not None
    assert [step["error"] for step in made.trace["stages"] if step["error"]] == []
    active.forget()
