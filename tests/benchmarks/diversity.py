"""What variety costs: NDCG@10 against coverage and intra-list diversity, by the diversity that a placement states.

One fit on the films' past; then each user's candidates are ranked once a strength, as such a placement would have them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from catalog import snapshot
from catalog.snapshot import Catalogue
from recommender.pipeline import model_view, recipes, runner
from recommender.pipeline.trace import Trace
from recommender.training import beyond_accuracy, csv_files, fitting, trial
from recommender.training.dataset import Interactions, interactions
from recommender.training.evaluation import asking, lists_alone
from tests.benchmarks import charts, films, ranking, splits
from tests.benchmarks.figures import Row, at_least, at_most
from tests.benchmarks.splits import Ratings
from tests.benchmarks.workbench import Workbench

K = 10
STRENGTHS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
RECIPE, REFERENCE = "personalized", "item_to_item"
COVERAGE, COST = at_least(2.0), at_most(0.02)


def run(bench: Workbench) -> Iterator[Row]:
    """Measure the recipe as it is and at every strength, and draw both curves."""
    data = films.folder()
    if data is None:
        yield Row(
            name="diversity: coverage, × that of item_to_item", value=None, unit="", target=COVERAGE, note=films.MISSING
        )
        return
    split = splits.by_time(films.ratings(data))
    wanted = split.held_out()
    bench.step("reading")
    catalogue = _catalogue(data, bench.folder / "items.csv", split.train)
    taken = _interactions(split.train, catalogue)
    lists = _ranked(bench, catalogue, taken, list(wanted))
    items = len(np.unique(split.train.items))
    ndcg = {name: ranking.ndcg(found, wanted, K) for name, found in lists.items()}
    coverage = {name: ranking.coverage(found, K, items) for name, found in lists.items()}
    times, cost = coverage["default"] / coverage[REFERENCE], 1 - ndcg["default"] / ndcg["0"]
    yield Row(name="diversity: coverage, × that of item_to_item", value=times, unit="", target=COVERAGE)
    yield Row(name="diversity: NDCG@10 that it costs", value=cost, unit="", target=COST)
    variety = {name: _variety(found, catalogue) for name, found in lists.items()}
    for strength in STRENGTHS:
        name = f"{strength:g}"
        yield Row(name=f"diversity: NDCG@10 at {name}", value=ndcg[name], unit="")
        yield Row(name=f"diversity: coverage@10 at {name}", value=coverage[name], unit="")
        yield Row(name=f"diversity: mean distance of two items at {name}", value=variety[name], unit="")
    for file, label, measured in (("coverage", "coverage@10", coverage), ("distance", "mean distance", variety)):
        points = {name: (measured[name], ndcg[name]) for name in lists}
        charts.points(bench.charts / f"diversity_{file}.svg", f"{films.NAME}, by diversity", label, "NDCG@10", points)


def _catalogue(data: Path, path: Path, train: Ratings) -> Catalogue:
    """Return the films in the order of the ratings' items, so that rows are the same, and then those never rated."""
    films.write_items(data, path)
    described = {card.item_id: (card, published) for card, published in csv_files.read_items(path)}
    ids = dict.fromkeys([*train.item_ids, *described])
    records = []
    for row, item_id in enumerate(ids):
        card, published = described[item_id]
        text = {"title": card.title, "category": card.category, "tags": card.tags}
        records.append({"id": row, "item_id": item_id, **text, "published_at": published})
    return snapshot.build(records, revision=0)


def _interactions(train: Ratings, catalogue: Catalogue) -> Interactions:
    assert train.timestamps is not None  # split by time
    return interactions(
        users=train.users,
        items=train.items,
        weights=np.ones(len(train.users), dtype=np.float32),
        occurred_at=train.timestamps.astype(np.float64),
        n_users=len(train.user_ids),
        n_items=len(catalogue),
    )


def _ranked(
    bench: Workbench, catalogue: Catalogue, taken: Interactions, users: list[int]
) -> dict[str, dict[int, list[int]]]:
    """Return user → list by strength, of the recipe as it is ("default"), and of the source REFERENCE alone."""
    recipe = recipes.get(RECIPE)
    asked: dict[str, float | None] = {"default": None, **{f"{strength:g}": strength for strength in STRENGTHS}}
    lists: dict[str, dict[int, list[int]]] = {name: {} for name in (*asked, REFERENCE)}
    with trial.opened(fitting.fit(taken, catalogue, progress=bench.step).trained) as bundle:
        query_of = asking(taken, catalogue, model_view.build(bundle, catalogue))
        for done, user in enumerate(users, start=1):
            query = query_of(user)
            candidates = runner.gather(recipe, query, Trace())
            lists[REFERENCE][user] = lists_alone(candidates)[REFERENCE].tolist()
            for name, diversity in asked.items():
                ranked = runner.rank(recipe, replace(query, diversity=diversity), candidates, Trace())
                lists[name][user] = ranked.rows.tolist()
            bench.tell("ranking", done, len(users))
    return lists


def _variety(lists: dict[int, list[int]], catalogue: Catalogue) -> float:
    """Return the mean over lists of the mean distance of two films by their genres."""
    tags = sorted({tag for card in catalogue.cards for tag in card.tags})
    genres = np.array([[tag in card.tags for tag in tags] for card in catalogue.cards], dtype=np.float32)
    top = np.array([ranked[:K] for ranked in lists.values()], dtype=np.int64)
    return float(np.nanmean(beyond_accuracy.intra_list_diversity(top, genres)))
