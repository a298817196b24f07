"""Which experiment a list takes part in, decided by nothing that differs between its arms, and what its arm shows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from experiments.assignment import Assignment, RunningExperiment, assign_first, forced
from recommender import conf, participation
from recommender.answering import Answer, nothing, obstacle
from recommender.contracts import Query
from recommender.exceptions import ConfigurationError
from recommender.interleaved import interleaved
from recommender.pipeline import recipes
from recommender.queries import PlacementSpec
from recommender.registry import publishing, tried
from recommender.visit import Visit

logger = logging.getLogger(__name__)

SETTINGS = {
    "recipe": "name of a recipe",
    "model_version": "name of a version that is ready",
    "diversity": "0 to 1: relevance only to variety only",
    "weights": "an object of numbers by source: the list is ranked by their weighted blend",
    "search_effort": "how far indexes are searched: 2 is twice as far as usual, 0.5 half",
    "rules": "false: without the editors' rules",
    "nothing": "true: no recommendations at all",
}
"""What a variant may set instead of its placement; what it leaves out is the placement's."""

LEAST_EFFORT, MOST_EFFORT = 0.01, 20
"""With more, a search takes as long as an exact one."""


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
    named = _versions(experiments)
    opened = tried.views(frozenset().union(*named.values()), visit.state.catalogue)
    if not all(versions <= opened.keys() for versions in named.values()):
        # All arms wait until each version is open: one of them alone would lose users.
        experiments = tuple(one for one in experiments if named.get(one.experiment_id, NONE) <= opened.keys())
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
            "experiment %s: variant %s shows nobody anything: %s",
            assignment.experiment_id,
            assignment.variant,
            problem,
        )
        return None
    return assignment


NONE: frozenset[str] = frozenset()


def _versions(experiments: tuple[RunningExperiment, ...]) -> Mapping[str, frozenset[str]]:
    """Return experiment → the names of the model versions that its variants try, for those that try any."""
    global _tried
    held, named = _tried
    if held is not experiments:
        named = {one.experiment_id: versions for one in experiments if (versions := tried.named_by(one))}
        _tried = experiments, named
    return named


_tried: tuple[tuple[RunningExperiment, ...], Mapping[str, frozenset[str]]] = ((), {})
"""Of the experiments seen last, which stand still for long."""


def version_of(assignment: Assignment | None, query: Query) -> str:
    """Return the name of the model version that a list is made by; of several mixed that of the placement."""
    own = str(assignment.configuration.get("model_version", "")) if assignment is not None else ""
    return own or (query.model.bundle.name if query.model is not None else "")


def answer_for(
    assignment: Assignment, placement: PlacementSpec, query: Query, ask: Callable[[str, Query], Answer]
) -> tuple[Answer, tuple[str, ...]]:
    """Return a variant's answer, and whose each place is: a variant's name where several are mixed, else ().

    Parameters
    ----------
    ask
        Answers a query by a recipe.
    """
    if assignment.teams:
        return interleaved(
            {name: _answer(configuration, placement, query, ask) for name, configuration in assignment.teams},
            query,
            seed=f"{assignment.experiment_id}:{assignment.phase}",
        )
    return _answer(assignment.configuration, placement, query, ask), ()


def _answer(
    configuration: Mapping[str, Any], placement: PlacementSpec, query: Query, ask: Callable[[str, Query], Answer]
) -> Answer:
    recipe = str(configuration.get("recipe", placement.recipe))
    if configuration.get("nothing", False):
        return nothing(recipe, query)
    version = configuration.get("model_version")
    own = replace(
        query,
        model=query.model if version is None else tried.view(version, query.catalogue),
        diversity=configuration.get("diversity", placement.diversity),
        weights=tuple(sorted(configuration.get("weights", {}).items())),
        search_effort=float(configuration.get("search_effort", 1.0)),
        rules=query.rules if configuration.get("rules", True) else None,
        # Several variants answer the same request, and none may find the other's work.
        scratch={},
    )
    return ask(recipe, own)


def problems(configuration: Mapping[str, Any]) -> list[str]:
    """Return what of a variant's configuration cannot be applied, one sentence each."""
    unknown = sorted(set(configuration) - set(SETTINGS))
    found = [f"There is no setting {name!r}; there are {', '.join(SETTINGS)}." for name in unknown]
    recipe, diversity = configuration.get("recipe"), configuration.get("diversity")
    if recipe is not None and recipe not in conf.get("RECIPES"):
        found.append(f"There is no recipe {recipe!r}; there are {', '.join(conf.get('RECIPES'))}.")
    if diversity is not None and not (type(diversity) in (int, float) and 0 <= diversity <= 1):
        found.append(f"diversity must be a number of 0 to 1, not {diversity!r}.")
    version = configuration.get("model_version", "")
    if not isinstance(version, str):
        found.append(f"model_version must be a version's name, not {version!r}.")
    effort = configuration.get("search_effort", 1)
    if not (type(effort) in (int, float) and LEAST_EFFORT <= effort <= MOST_EFFORT):
        found.append(f"search_effort must be a number of {LEAST_EFFORT} to {MOST_EFFORT}, not {effort!r}.")
    found += [
        f"{name} must be true or false, not {configuration[name]!r}."
        for name in ("rules", "nothing")
        if type(configuration.get(name, False)) is not bool
    ]
    return found + _problems_of_weights(configuration)


def missing_version(configuration: Mapping[str, Any]) -> list[str]:
    """Return that the model version named is not there, asking the database: for who saves it, not for requests."""
    version = configuration.get("model_version")
    if version is None or publishing.is_ready(str(version)):
        return []
    return [f"There is no model version {version!r} that is ready."]


def _problems_of_weights(configuration: Mapping[str, Any]) -> list[str]:
    weights = configuration.get("weights", {})
    if not isinstance(weights, dict):
        return [f"weights must be an object of numbers by source, not {weights!r}."]
    wrong = {name: weight for name, weight in weights.items() if type(weight) not in (int, float) or weight < 0}
    if wrong:
        return [
            f"The weight of {name!r} must be a number of 0 or more, not {weight!r}." for name, weight in wrong.items()
        ]
    known = {source for recipe in conf.get("RECIPES").values() for source in recipe.get("sources", {})}
    return [f"No recipe has a source {name!r}." for name in weights if name not in known]


def _problem(assignment: Assignment, placement: PlacementSpec) -> str:
    """Return why the variant cannot be shown at this placement, "" when it can."""
    for configuration in dict(assignment.teams).values() if assignment.teams else (assignment.configuration,):
        found = problems(configuration)
        if found:
            return found[0]
        try:
            weights = tuple(sorted(configuration.get("weights", {}).items()))
            recipes.get(str(configuration.get("recipe", placement.recipe)), weights)
        except ConfigurationError as error:
            return str(error)
    return ""
