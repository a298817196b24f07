"""What one call of `serving` knows of its user and the moment, whichever lists it makes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property

from django.db import Error as DatabaseError

from interactions import features
from interactions.feature_store import CachedUser
from interactions.features import UserFeatures
from recommender import history, segments, serving_state
from recommender.contracts import History
from recommender.exceptions import ModelUnavailable
from recommender.rules.compile import CompiledRules
from recommender.rules.viewer import Viewer
from recommender.serving_state import ServingState


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One user at one moment."""

    user: UserFeatures
    state: ServingState
    now: float
    """POSIX seconds."""
    record: bool
    """Whether what is shown may be stored: False for previews, for nobody in particular and without consent."""
    language: str = ""
    device: str = ""
    """What the request says of them; "" when nothing."""

    def rules(self, placement: str) -> CompiledRules:
        """Return the editors' rules that are in effect for this visit at a placement."""
        return self.state.rulebook.for_viewer(self.viewer(placement), self.now)

    def viewer(self, placement: str) -> Viewer:
        """Return who looks at a placement, as far as rules care."""
        return Viewer(
            user_id=self.user.user_id,
            placement=placement,
            country=self.user.country,
            language=self.language,
            device=self.device,
            segments=self.segments,
        )

    @cached_property
    def segments(self) -> tuple[str, ...]:
        """Which segments the user is in; () where no rule asks."""
        return segments.of(self.user) if self.state.rulebook.asks_for_segments else ()

    @cached_property
    def history(self) -> History:
        """What the user has taken, as rows of the catalogue; made when a list is, not for one that is kept."""
        user, state = self.user, self.state
        most = history.ITEMS_AT_ALL if state.model is None else state.model.bundle.meta.get("history")
        return history.build(
            user.item_pks,
            state.event_types.weights_of(user.type_ids, user.values),
            user.occurred_at,
            user.seen_pks,
            state.catalogue,
            liked=user.preferences.items,
            # A version built before models said so.
            most=most or history.ITEMS_AT_ALL,
        )


def begin(user_id: str, *, record: bool, language: str = "", device: str = "") -> Visit:
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
    may_record = record and bool(user_id) and user.consent
    return Visit(user=user, state=state, now=now, record=may_record, language=language, device=device)


def _nobody(user_id: str) -> UserFeatures:
    """Return the features of a user of whom nothing can be read now."""
    return UserFeatures(user_id=user_id, stored=CachedUser(generation=b"", is_known=False, consent=False))
