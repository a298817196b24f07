"""What one call of `serving` knows of its user and the moment, whichever lists it makes."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from django.db import Error as DatabaseError

from interactions import features
from interactions.features import UserFeatures
from interactions.preferences import NONE
from recommender import history, serving_state
from recommender.contracts import History
from recommender.exceptions import ModelUnavailable
from recommender.serving_state import ServingState


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One user at one moment."""

    user: UserFeatures
    history: History
    state: ServingState
    now: float
    """POSIX seconds."""
    record: bool
    """Whether what is shown may be stored: False for previews, for nobody in particular and without consent."""


def begin(user_id: str, *, record: bool) -> Visit:
    """Read the user and the serving state of this moment.

    Raises
    ------
    ModelUnavailable
        Postgres and Redis are both away and this process has never served.
    """
    now = time.time()
    try:
        user, current = features.load(user_id)
        state = serving_state.at(current)
    except DatabaseError as error:
        held = serving_state.last()
        if held is None:
            raise ModelUnavailable("The catalogue cannot be read and nothing has been served before.") from error
        user, state = _nobody(user_id), held
    weights = state.event_types.weights_of(user.type_ids, user.values)
    taste = history.build(
        user.item_pks, weights, user.occurred_at, user.seen_pks, state.catalogue, liked=user.preferences.items
    )
    return Visit(user=user, history=taste, state=state, now=now, record=record and bool(user_id) and user.consent)


def _nobody(user_id: str) -> UserFeatures:
    """Return the features of a user of whom nothing can be read now."""
    nothing = np.empty(0, dtype=np.int64)
    return UserFeatures(
        user_id=user_id,
        known=False,
        country="",
        consent=False,
        preferences=NONE,
        item_pks=nothing,
        type_ids=nothing,
        occurred_at=np.empty(0, dtype=np.float64),
        values=np.empty(0, dtype=np.float32),
        seen_pks=nothing,
    )
