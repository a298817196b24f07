"""Which experiment a list takes part in, decided by nothing that differs between its arms."""

from __future__ import annotations

import logging

from experiments.assignment import Assignment, assign_first, forced
from recommender import conf, participation
from recommender.answering import obstacle
from recommender.contracts import Query
from recommender.queries import PlacementSpec
from recommender.visit import Visit

logger = logging.getLogger(__name__)


def variant_of(query: Query, placement: PlacementSpec, visit: Visit) -> Assignment | None:
    """Return the variant of the visit's user at `placement`, None when he takes part in nothing.

    Users for whom the placement's own recipe could only fall back (no history, no model) do not take part: most arms
    would show them the same list. What an arm's recipe comes to does not matter, else the arms would lose different
    users and could no longer be compared. Neither do crawlers, staff, and those of whom nothing may be stored; who asks
    to see a variant (`participation`) is shown it.
    """
    experiments = visit.state.experiments
    if not experiments:
        return None
    part = participation.current()
    if part.forced is not None:
        assignment = forced(experiments, *part.forced)
    elif visit.record and part.takes_part and not obstacle(placement.recipe, query, known=visit.user.known):
        assignment = assign_first(query.user_id, experiments, placement.name, query.country, visit.segments)
    else:
        return None
    problem = _problem(assignment, placement) if assignment is not None else ""
    if assignment is not None and problem:
        logger.error(
            "experiment %s: variant %s %s; it shows nobody anything",
            assignment.experiment_id,
            assignment.variant,
            problem,
        )
        return None
    return assignment


def recipe_of(assignment: Assignment, placement: PlacementSpec) -> str:
    """Return the recipe of a variant: its own, or the placement's."""
    return str(assignment.configuration.get("recipe", placement.recipe))


def diversity_of(assignment: Assignment, placement: PlacementSpec) -> float | None:
    """Return a variant's trade-off between relevance (0) and variety (1): its own, or the placement's.

    None leaves it to the recipe.
    """
    diversity: float | None = assignment.configuration.get("diversity", placement.diversity)
    return diversity


def _problem(assignment: Assignment, placement: PlacementSpec) -> str:
    """Return why the variant cannot be shown, "" when it can."""
    recipe, diversity = recipe_of(assignment, placement), diversity_of(assignment, placement)
    if recipe not in conf.get("RECIPES"):
        return f"names the recipe {recipe!r}, which does not exist"
    if diversity is not None and not (type(diversity) in (int, float) and 0 <= diversity <= 1):
        return f"has the diversity {diversity!r}, which is not in 0..1"
    return ""
