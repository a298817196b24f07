"""What the lists of a page are about: items of a history, categories of a taste, or nothing in particular."""

from __future__ import annotations

from typing import NamedTuple

from recommender import conf
from recommender.favourites import favourite_categories
from recommender.listing import BECAUSE_YOU_WATCHED, CATEGORY, SIMILAR
from recommender.queries import PlacementSpec
from recommender.seeds import choose_seeds
from recommender.visit import Visit


class Subject(NamedTuple):
    """What a list is about: an item, a category, or nothing in particular."""

    seed: int | None = None
    category: str = ""


def subjects_of(visit: Visit, placement: PlacementSpec, seed: int | None) -> list[Subject]:
    """Return what a page's rows of a placement are about, one each; `seed` is the row of the page's own item."""
    if placement.recipe == BECAUSE_YOU_WATCHED:
        seeds = chosen_subjects(visit, placement.recipe, int(conf.get("SEEDS_PER_PAGE")))
        return seeds or ([Subject()] if placement.fallback else [])
    if placement.recipe == CATEGORY:
        return chosen_subjects(visit, placement.recipe, int(conf.get("CATEGORIES_PER_PAGE")))
    if placement.recipe == SIMILAR:
        return [Subject(seed)] if seed is not None else []
    return [Subject()]


def chosen_subjects(visit: Visit, recipe: str, n: int) -> list[Subject]:
    """Return at most `n` items of his history, or categories of his taste, that rows of the recipe are about."""
    catalogue = visit.state.catalogue
    if recipe == CATEGORY:
        found = favourite_categories(visit.history, visit.user.preferences, catalogue, n)
        return [Subject(category=category) for category in found]
    return [Subject(seed) for seed in choose_seeds(visit.history, catalogue, visit.state.model, n)]
