"""Everything a request reads that is not about its user: one consistent set in memory, swapped when revisions move."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.db import Error as DatabaseError

from catalog import presentations, revisions, snapshot
from catalog.presentations import Presentations
from catalog.revisions import Revisions
from catalog.snapshot import Catalogue
from experiments import queries as experiment_queries
from experiments.assignment import RunningExperiment
from interactions import event_types
from interactions.event_types import EventTypes
from recommender import queries
from recommender.pipeline import model_view
from recommender.pipeline.model_view import ModelView
from recommender.queries import Placements
from recommender.registry import active
from recommender.registry.artifacts import Bundle
from recommender.rules import compile as rules
from recommender.rules.compile import Rulebook
from recommender.shadowing import switch
from recommender.shadowing.switch import RunningShadow

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingState:
    """What this process serves from."""

    revisions: Revisions
    catalogue: Catalogue
    bundle: Bundle | None
    """The model version in use."""
    model: ModelView | None
    """It as the catalogue sees it; None as well when it shares no item with the catalogue (it is of another site)."""
    rulebook: Rulebook
    placements: Placements
    experiments: tuple[RunningExperiment, ...]
    event_types: EventTypes
    presentations: Presentations
    """Items' other titles and pictures."""
    shadow: RunningShadow | None
    """The version that is tried beside this one; answers do not depend on it."""


_last: ServingState | None = None


def at(current: Revisions) -> ServingState:
    """Return the state of these revisions; without news no query is made.

    Raises
    ------
    django.db.Error
        When something must be read and Postgres is away, and this process has no earlier state to go on with.
    """
    global _last
    held = _last
    try:
        bundle = active.current(current[revisions.MODEL])
        if held is not None and held.bundle is bundle and held.revisions == current:
            return held
        catalogue = snapshot.current(current[revisions.CATALOGUE])
        state = ServingState(
            revisions=current,
            catalogue=catalogue,
            bundle=bundle,
            model=_matching(bundle, catalogue),
            rulebook=rules.current(current[revisions.RULES], catalogue),
            placements=queries.placements(current[revisions.RULES]),
            experiments=experiment_queries.running(current[revisions.EXPERIMENTS]),
            event_types=event_types.current(current[revisions.EVENT_TYPES]),
            presentations=presentations.current(current[revisions.PRESENTATIONS]),
            shadow=switch.current(current[revisions.MODEL]),
        )
    except DatabaseError as error:
        if held is None:
            raise
        logger.warning("serving goes on with what it has: %s", error)
        return held
    _last = state
    return state


def _matching(bundle: Bundle | None, catalogue: Catalogue) -> ModelView | None:
    if bundle is None:
        return None
    view = model_view.current(bundle, catalogue)
    return view if (view.row_in_catalogue >= 0).any() else None


def last() -> ServingState | None:
    """Return the state this process served from last, for when Postgres and Redis are both away."""
    return _last
