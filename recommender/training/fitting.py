"""One fit: hold out, tune the sources, learn the ranking, measure it, then train everything on all of the data.

Both `rebuilding` and `manage.py evaluate` come through here, so that what is measured is what would be published.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from catalog.snapshot import Catalogue
from recommender import conf
from recommender.arrays import FloatArray, RowArray
from recommender.contracts import Candidates, Query
from recommender.pipeline import model_view, recipes, runner
from recommender.pipeline.model_view import ModelView
from recommender.pipeline.recipes import Recipe
from recommender.pipeline.trace import Trace
from recommender.ranking import choosing
from recommender.ranking.choosing import Ranking
from recommender.ranking.examples import Examples
from recommender.ranking.features import features
from recommender.scorers.tuned_ranking import TunedRanking
from recommender.scorers.weighted_blend import as_probability
from recommender.training import split, trial, variety
from recommender.training.dataset import Interactions
from recommender.training.embedding_spaces import IndexedSpace
from recommender.training.engines.base import Engine
from recommender.training.evaluation import Evaluation, asking, lists_alone, measured
from recommender.training.parallel import in_parallel
from recommender.training.settings import untuned
from recommender.training.split import Way
from recommender.training.train import LOCAL, Trained, train
from recommender.training.tuning import tune

RECIPE = "personalized"
"""The recipe whose ranking is learned; others use their own weights."""
RANDOM_SHARE = 0.1
PROBED = 20
"""Requests that tell which sources have anything to say."""
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Models of all the data, and what their like did on the part held out."""

    trained: Trained
    validation: Evaluation | None
    """None when there was nothing to hold out."""
    held_out: int
    """Pairs held out."""


def fit(
    data: Interactions,
    catalogue: Catalogue,
    *,
    way: Way = "time",
    spaces: Sequence[IndexedSpace] = (),
    engine: Engine = LOCAL,
    progress: Progress = lambda stage: None,
) -> Fitted:
    """Return models of `data`, with parameters and a ranking found on what `way` holds out of it."""
    seed = int(conf.get("SEED"))
    settings = untuned()
    if not data.ordered:
        way = "random" if way == "time" else way
        settings = replace(settings, half_lives=dict.fromkeys(settings.half_lives))
    held_out = np.zeros(len(data), dtype=np.bool_)
    if int(conf.get("TUNING")["users"]):
        # Drawn at random, what is hidden is missing from the midst of what is known: less of it keeps the two alike.
        held_out = split.held_out(data, way, share=RANDOM_SHARE if way == "random" else split.SHARE, seed=seed)
    past, later = data.take(~held_out), data.take(held_out)
    ranking, validation = None, None
    strengths = dict(variety.CATEGORIES)
    if len(later) and len(past):
        settings = tune(past, later, settings, seed, progress)
        trained = train(
            past, catalogue.pks, catalogue.cards, _trial(progress), settings=settings, spaces=spaces, engine=engine
        )
        progress("ranking: candidates")
        with trial.opened(trained) as bundle:
            view = model_view.build(bundle, catalogue)
            ranking, strengths, validation = _rank(view, catalogue, past, later, seed, progress)
        settings = settings.for_more_data(len(data) / len(past))
    trained = train(data, catalogue.pks, catalogue.cards, progress, settings=settings, spaces=spaces, engine=engine)
    if ranking is not None:
        trained.arrays.update(ranking.arrays())
        trained.meta["ranking"] = ranking.meta()
    trained.meta["variety"] = strengths
    return Fitted(trained=trained, validation=validation, held_out=int(held_out.sum()))


def _rank(
    view: ModelView, catalogue: Catalogue, past: Interactions, later: Interactions, seed: int, progress: Progress
) -> tuple[Ranking | None, dict[str, float], Evaluation]:
    """Return the chosen ranking (None when too few users, or no source, say anything), the strengths of variety that it
    pays for, and how its lists did."""
    users = np.unique(later.users)
    limit = int(conf.get("TUNING")["ranked_users"])
    if len(users) > limit:
        users = np.sort(np.random.default_rng(seed).choice(users, limit, replace=False))
    starts = later.user_starts()
    truth = [later.items[starts[user] : starts[user + 1]] for user in users]
    recipe, query_of = recipes.get(RECIPE), asking(past, catalogue, view)
    columns = _columns(recipe, [query_of(user) for user in users[:PROBED].tolist()])

    def gather(user: int) -> tuple[RowArray, FloatArray, dict[str, RowArray]]:
        query = query_of(user)
        candidates = runner.gather(recipe, query, Trace())
        return candidates.rows, features(query, candidates, columns), lists_alone(candidates)

    gathered = list(in_parallel(gather, users.tolist()))
    examples = _examples(gathered, columns, truth)
    ranking = None
    # Cross-validation needs somebody in each fold, whatever the site calls enough.
    if columns and len(users) >= max(int(conf.get("TUNING")["minimum_users"]), choosing.FOLDS):
        progress("ranking: learning")
        ranking = choosing.choose(examples, seed)

    def lists_with(strengths: Mapping[str, float]) -> list[RowArray]:
        meta = {**view.bundle.meta, "variety": strengths}
        asked = asking(past, catalogue, replace(view, bundle=replace(view.bundle, meta=meta)))
        return _lists(recipe, [asked(user) for user in users.tolist()], examples, ranking)

    strengths = dict(variety.CATEGORIES)
    if ranking is not None:
        progress("ranking: variety")
        strengths = variety.find(lists_with, truth, ranking.gain)
    progress("ranking: measuring")
    lists = lists_with(strengths)
    alone = [by_source for _, _, by_source in gathered]
    return ranking, strengths, measured(lists, alone, truth, users.tolist(), past, view.bundle)


def _columns(recipe: Recipe, queries: Sequence[Query]) -> tuple[str, ...]:
    """Return the source columns that say anything here: some need what only a live request has (a country, …)."""
    found: dict[str, None] = {}
    for query in queries:
        for name, scores in runner.gather(recipe, query, Trace()).source_scores.items():
            if np.isfinite(scores).any():
                found[name] = None
    return tuple(sorted(found))


def _examples(
    gathered: Sequence[tuple[RowArray, FloatArray, dict[str, RowArray]]],
    columns: tuple[str, ...],
    truth: Sequence[RowArray],
) -> Examples:
    return Examples(
        starts=np.cumsum([0, *(len(rows) for rows, _, _ in gathered)]),
        rows=np.concatenate([rows for rows, _, _ in gathered]),
        features=np.concatenate([found for _, found, _ in gathered]),
        columns=columns,
        taken=np.concatenate([np.isin(rows, items) for (rows, _, _), items in zip(gathered, truth, strict=True)]),
        wanted=np.array([len(items) for items in truth], dtype=np.int64),
    )


def _lists(recipe: Recipe, queries: Sequence[Query], examples: Examples, ranking: Ranking | None) -> list[RowArray]:
    """Return what serving would have shown, each user's score from a ranking that did not learn from him."""

    def ranked(place: int) -> RowArray:
        span = slice(int(examples.starts[place]), int(examples.starts[place + 1]))
        candidates = Candidates.of(examples.rows[span])
        candidates.source_scores = dict(zip(examples.columns, examples.features[span].T, strict=False))
        scorers = recipe.scorers
        if ranking is not None:
            candidates.score = as_probability(ranking.scores[span])
            scorers = tuple(scorer for scorer in recipe.scorers if not isinstance(scorer, TunedRanking))
        return runner.rank(replace(recipe, scorers=scorers), queries[place], candidates, Trace()).rows

    return list(in_parallel(ranked, range(len(queries))))


def _trial(progress: Progress) -> Progress:
    return lambda stage: progress(f"trial: {stage}")
