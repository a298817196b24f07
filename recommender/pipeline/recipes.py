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
    "collaborative": "recommender.sources.collaborative.Collaborative",
    "content": "recommender.sources.content.Content",
    "item_to_item": "recommender.sources.item_to_item.ItemToItem",
    "new_items": "recommender.sources.new_items.NewItems",
    "popular": "recommender.sources.popular.Popular",
    "session": "recommender.sources.session.Session",
    "excluded": "recommender.filters.excluded.Excluded",
    "seen": "recommender.filters.seen.Seen",
    "unavailable": "recommender.filters.unavailable.Unavailable",
    "weighted_blend": "recommender.scorers.weighted_blend.WeightedBlend",
    "business_rules": "recommender.rerankers.business_rules.BusinessRules",
    "category_diversity": "recommender.rerankers.category_diversity.CategoryDiversity",
}

S = TypeVar("S", bound=Stage)


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


def get(name: str) -> Recipe:
    """Return the recipe `name`.

    Raises
    ------
    ConfigurationError
        When there is none of this name, or one of its stages cannot be built; the message names the part.
    """
    recipes: Mapping[str, Mapping[str, Any]] = conf.get("RECIPES")
    if name not in recipes:
        raise ConfigurationError(f"There is no recipe {name!r}; there are {', '.join(sorted(recipes))}.")
    return _build(name, json.dumps(resolve(name, recipes), sort_keys=False), conf.get("CANDIDATES_PER_SOURCE"))


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
    slots = []
    for stage_name, given in settings.get("sources", {}).items():
        options = dict(given)
        weight, n = float(options.pop("weight", 1.0)), int(options.pop("n", candidates_per_source))
        slots.append(SourceSlot(_make(name, stage_name, options, Source), weight, n))
    if not slots:
        raise ConfigurationError(f"Recipe {name!r} has no sources.")
    weights = {slot.source.name: slot.weight for slot in slots}
    scorers = []
    for stage_name, options in _named(settings.get("scorers", [])):
        defaults = {"weights": weights} if stage_name == "weighted_blend" else {}
        scorers.append(_make(name, stage_name, {**defaults, **options}, Scorer))
    return Recipe(
        name=name,
        sources=tuple(slots),
        filters=tuple(_make(name, stage, options, Filter) for stage, options in _named(settings.get("filters", []))),
        scorers=tuple(scorers),
        rerankers=tuple(
            _make(name, stage, options, Reranker) for stage, options in _named(settings.get("rerankers", []))
        ),
        fallback=settings.get("fallback", ""),
    )


def _named(stages: list[str | dict[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    return [(stage, {}) if isinstance(stage, str) else next(iter(stage.items())) for stage in stages]


def _make(recipe: str, stage: str, options: dict[str, Any], base: Callable[..., S]) -> S:
    path = STAGES.get(stage, stage)
    try:
        made = import_string(path)(**options)
    except (ImportError, TypeError) as error:
        raise ConfigurationError(f"Recipe {recipe!r}: {stage!r} cannot be used: {error}.") from error
    # `base` is a class; typed as a callable because mypy refuses abstract classes as `type[S]`.
    if not isinstance(made, cast(type, base)):
        raise ConfigurationError(f"Recipe {recipe!r}: {stage!r} is no {cast(type, base).__name__.lower()}.")
    return cast(S, made)
