"""Which experiment a list takes part in, decided by nothing that differs between its arms."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from experiments.assignment import Assignment, RunningExperiment, assign_first
from recommender import conf
from recommender.answering import obstacle
from recommender.contracts import Query
from recommender.queries import PlacementSpec

logger = logging.getLogger(__name__)


def variant_of(
    query: Query, placement: PlacementSpec, experiments: Iterable[RunningExperiment], *, known: bool
) -> Assignment | None:
    """Return the variant of the query's user at `placement`, None when he takes part in nothing.

    Users for whom the placement's own recipe could only fall back (no history, no model) do not take part: most arms
    would show them the same list. What an arm's recipe comes to does not matter, else the arms would lose different
    users and could no longer be compared.

    Parameters
    ----------
    known
        False when the user does not exist.
    """
    if obstacle(placement.recipe, query, known=known):
        return None
    assignment = assign_first(query.user_id, experiments, placement.name)
    if assignment is not None and recipe_of(assignment, placement) not in conf.get("RECIPES"):
        logger.error(
            "experiment %s: variant %s names the recipe %r, which does not exist; it shows nobody anything",
            assignment.experiment_id,
            assignment.variant,
            recipe_of(assignment, placement),
        )
        return None
    return assignment


def recipe_of(assignment: Assignment, placement: PlacementSpec) -> str:
    """Return the recipe of a variant: its own, or the placement's."""
    return str(assignment.configuration.get("recipe", placement.recipe))
