"""Recipes: which stages answer, in which order, with which options. Data in a setting, built once a process.

    RECOMMENDER_RECIPES = {
        "personalized": {
            "sources": {"item_to_item": {"weight": 1.0, "half_life": 6}, "popular": {"weight": 0.05}},
            "filters": ["unavailable", "excluded", "seen"],
            "scorers": ["weighted_blend"],
            "rerankers": [{"category_diversity": {"strength": 0.1}}, "business_rules"],
            "fallback": "trending",
        },
        "diverse": {"extends": "personalized", "rerankers": [...]},
    }

A stage is named by its short name (`STAGES`) or by the dotted path of a class of the site's own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, cast

from django.utils.module_loading import import_string

from recommender import conf
from recommender.exceptions import ConfigurationError
from recommender.pipeline.stages import Filter, Reranker, Scorer, Source, Stage

STAGES: dict[str, str] = {
    "category": "recommender.sources.category.OfCategory",
    "collaborative": "recommender.sources.collaborative.Collaborative",
    "content": "recommender.sources.content.Content",
    "embeddings": "recommender.sources.embeddings.Embeddings",
    "item_to_item": "recommender.sources.item_to_item.ItemToItem",
    "item_to_item_balanced": "recommender.sources.item_to_item_balanced.ItemToItemBalanced",
    "new_items": "recommender.sources.new_items.NewItems",
    "popular": "recommender.sources.popular.Popular",
    "preferences": "recommender.sources.preferences.StatedPreferences",
    "next_items": "recommender.sources.next_items.NextItems",
    "random_walk": "recommender.sources.random_walk.RandomWalk",
    "session": "recommender.sources.session.Session",
    "similar_users": "recommender.sources.similar_users.SimilarUsers",
    "trending": "recommender.sources.trending.TrendingNow",
    "unexplored": "recommender.sources.unexplored.Unexplored",
    "excluded": "recommender.filters.excluded.Excluded",
    "ruled_out": "recommender.filters.ruled_out.RuledOut",
    "seen": "recommender.filters.seen.Seen",
    "unavailable": "recommender.filters.unavailable.Unavailable",
    "cold_start": "recommender.scorers.cold_start.ColdStart",
    "tuned_ranking": "recommender.scorers.tuned_ranking.TunedRanking",
    "weighted_blend": "recommender.scorers.weighted_blend.WeightedBlend",
    "business_rules": "recommender.rerankers.business_rules.BusinessRules",
    "category_cap": "recommender.rerankers.category_cap.CategoryCap",
    "category_diversity": "recommender.rerankers.category_diversity.CategoryDiversity",
    "discoveries": "recommender.rerankers.discoveries.Discoveries",
    "dpp": "recommender.rerankers.dpp.Dpp",
    "exploration": "recommender.rerankers.exploration.Exploration",
    "freshness": "recommender.rerankers.freshness.Freshness",
    "long_tail": "recommender.rerankers.long_tail.LongTail",
    "mmr": "recommender.rerankers.mmr.Mmr",
}

_OF_SOURCES = ("weighted_blend", "tuned_ranking")
"""Scorers that get the weights of the recipe's sources."""

S = TypeVar("S", bound=Stage)

Weights = tuple[tuple[str, float], ...]
"""(source, weight) pairs."""


@dataclass(frozen=True, slots=True)
class SourceSlot:
    """A source with its share in the blend and the candidates it may propose (0: it only scores)."""

    source: Source
    weight: float
    n: int


@dataclass(frozen=True, slots=True)
class Recipe:
    """A built recipe. Stages are shared by all threads."""

    name: str
    sources: tuple[SourceSlot, ...]
    filters: tuple[Filter, ...]
    scorers: tuple[Scorer, ...]
    rerankers: tuple[Reranker, ...]
    fallback: str
    """Name of the recipe that answers when this one cannot; "" for the last resort."""


def get(name: str, weights: Weights = ()) -> Recipe:
    """Return the recipe `name`.

    Parameters
    ----------
    weights
        Source → weight, that count instead of its own; the list is then ranked by their weighted blend, whatever a
        rebuild has found to be best.

    Raises
    ------
    ConfigurationError
        When there is none of this name, one of its stages cannot be built, or it has no source of such a name; the
        message names the part.
    """
    global _built
    recipes: Mapping[str, Mapping[str, Any]] = conf.get("RECIPES")
    width: int = conf.get("CANDIDATES_PER_SOURCE")
    built = _built
    if built.settings is not recipes or built.width != width:
        built = _built = _Built(recipes, width, {})
    key = name, weights
    if key not in built.recipes:
        built.recipes[key] = _from_settings(name, recipes, width, dict(weights))
    return built.recipes[key]


@dataclass(frozen=True, slots=True)
class _Built:
    """What has been built of one value of the settings."""

    settings: Mapping[str, Mapping[str, Any]]
    width: int
    recipes: dict[tuple[str, Weights], Recipe]


_built = _Built({}, 0, {})


def _from_settings(
    name: str, recipes: Mapping[str, Mapping[str, Any]], width: int, weights: Mapping[str, float]
) -> Recipe:
    if name not in recipes:
        raise ConfigurationError(f"There is no recipe {name!r}; there are {', '.join(sorted(recipes))}.")
    try:
        resolved = resolve(name, recipes)
        data = json.dumps(_reweighted(name, resolved, weights) if weights else resolved)
    except TypeError as error:
        raise ConfigurationError(f"Recipe {name!r} must hold JSON values only: {error}.") from error
    return _build(name, data, width)


def _reweighted(name: str, settings: Mapping[str, Any], weights: Mapping[str, float]) -> dict[str, Any]:
    sources = {stage: dict(options) for stage, options in settings.get("sources", {}).items()}
    unknown = set(weights) - set(sources)
    if unknown:
        raise ConfigurationError(
            f"Recipe {name!r} has no source {', '.join(sorted(unknown))}; it has {', '.join(sources)}."
        )
    for stage, weight in weights.items():
        sources[stage]["weight"] = weight
    scorers = ["weighted_blend" if scorer == "tuned_ranking" else scorer for scorer in settings.get("scorers", [])]
    return {**settings, "sources": sources, "scorers": scorers}


def resolve(name: str, recipes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the recipe's data with everything it inherits by `extends`."""
    seen: list[str] = []
    merged: dict[str, Any] = {}
    current: str | None = name
    while current is not None:
        if current in seen or current not in recipes:
            raise ConfigurationError(f"Recipe {name!r} extends {current!r}, which does not exist or extends itself.")
        seen.append(current)
        merged = {**recipes[current], **merged}
        current = recipes[current].get("extends")
    merged.pop("extends", None)
    return merged


@cache
def _build(name: str, data: str, candidates_per_source: int) -> Recipe:
    settings: dict[str, Any] = json.loads(data)
    unknown = set(settings) - {"sources", "filters", "scorers", "rerankers", "fallback"}
    if unknown:
        raise ConfigurationError(f"Recipe {name!r} has unknown parts: {', '.join(sorted(unknown))}.")
    sources = settings.get("sources", {})
    if not isinstance(sources, dict):
        raise ConfigurationError(f"Recipe {name!r}: sources must be a mapping, not {sources!r}.")
    if not sources:
        raise ConfigurationError(f"Recipe {name!r} has no sources.")
    slots = tuple(_slot(name, stage, options, candidates_per_source) for stage, options in sources.items())
    weights = {slot.source.name: slot.weight for slot in slots}
    return Recipe(
        name=name,
        sources=slots,
        filters=tuple(_make(name, stage, options, Filter) for stage, options in _named(name, settings, "filters")),
        scorers=tuple(
            _make(name, stage, {"weights": weights, **options} if stage in _OF_SOURCES else options, Scorer)
            for stage, options in _named(name, settings, "scorers")
        ),
        rerankers=tuple(
            _make(name, stage, options, Reranker) for stage, options in _named(name, settings, "rerankers")
        ),
        fallback=settings.get("fallback", ""),
    )


def _slot(recipe: str, stage: str, given: Any, candidates_per_source: int) -> SourceSlot:
    options = dict(_options(recipe, stage, given))
    weight, n = options.pop("weight", 1.0), options.pop("n", candidates_per_source)
    if not isinstance(weight, int | float) or not isinstance(n, int):
        message = f"Recipe {recipe!r}: weight and n of {stage!r} must be numbers, not {weight!r} and {n!r}."
        raise ConfigurationError(message)
    return SourceSlot(_make(recipe, stage, options, Source), float(weight), n)


def _named(recipe: str, settings: Mapping[str, Any], part: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the stages of one part of a recipe with their options."""
    stages = settings.get(part, [])
    if not isinstance(stages, list):
        raise ConfigurationError(f"Recipe {recipe!r}: {part} must be a list, not {stages!r}.")
    named: list[tuple[str, dict[str, Any]]] = []
    for stage in stages:
        if isinstance(stage, str):
            named.append((stage, {}))
        elif isinstance(stage, dict) and len(stage) == 1:
            [(name, given)] = stage.items()
            named.append((name, _options(recipe, name, given)))
        else:
            message = f"Recipe {recipe!r}: a stage is a name or {{name: options}}, not {stage!r}."
            raise ConfigurationError(message)
    return named


def _options(recipe: str, stage: str, given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ConfigurationError(f"Recipe {recipe!r}: the options of {stage!r} must be a mapping, not {given!r}.")
    return given


def _make(recipe: str, stage: str, options: dict[str, Any], base: Callable[..., S]) -> S:
    path = STAGES.get(stage, stage)
    try:
        made = import_string(path)(**options)
    except (ImportError, TypeError, ValueError) as error:
        raise ConfigurationError(f"Recipe {recipe!r}: {stage!r} cannot be used: {error}.") from error
    # `base` is a class; typed as a callable because mypy refuses abstract classes as `type[S]`.
    if not isinstance(made, cast(type, base)):
        raise ConfigurationError(f"Recipe {recipe!r}: {stage!r} is no {cast(type, base).__name__.lower()}.")
    return cast(S, made)
