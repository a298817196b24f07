"""What one call of `serving` knows of its user and the moment, whichever lists it makes."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property

from django.db import Error as DatabaseError

from catalog.postgres.patience import within
from interactions import features, presented
from interactions.feature_store import CachedUser
from interactions.features import UserFeatures
from interactions.presented import Counts
from recommender import history, segments, serving_state
from recommender.arrays import RowArray
from recommender.contracts import History
from recommender.exceptions import ModelUnavailable
from recommender.rules import fatigue
from recommender.rules.compile import CompiledRules
from recommender.rules.viewer import Viewer
from recommender.serving_state import ServingState

READ_SECONDS = 0.2
"""For how long a web process waits for Postgres to say who somebody is, when Redis does not know him."""


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
    app_version: str = ""
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

    def personal_rules(self, placement: str) -> CompiledRules:
        """Return the same with what this visitor is tired of: an object of its own where there is something."""
        rules = self.rules(placement)
        tired = self.tired(rules)
        return replace(rules, tired=tired) if len(tired) else rules

    def tired(self, rules: CompiledRules) -> RowArray:
        """Return the rows, ascending, that rules against fatigue keep from him; nothing is read where there is none."""
        if not rules.fatigue:
            return fatigue.NOTHING
        held = self._tired.get(id(rules))
        if held is None:
            user, state = self.user, self.state
            rows = fatigue.tired(rules.fatigue, user.shown, lambda: user.events, state.catalogue, self.now)
            held = self._tired[id(rules)] = rules, rows
        return held[1]

    @cached_property
    def _tired(self) -> dict[int, tuple[CompiledRules, RowArray]]:
        """By the id of the rules, which stand beside it so that no others get that id."""
        return {}

    @cached_property
    def presented(self) -> Counts:
        """What came of items' titles and pictures: the same for all lists of a page."""
        return presented.current()

    @cached_property
    def segments(self) -> tuple[str, ...]:
        """Which segments the user is in; () where neither a rule nor an experiment asks."""
        asked = self.state.rulebook.asks_for_segments or any(one.segments for one in self.state.experiments)
        return segments.of(self.user) if asked else ()

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


def begin(user_id: str, *, record: bool, language: str = "", device: str = "", app_version: str = "") -> Visit:
    """Read the user and the serving state of this moment.

    Raises
    ------
    ModelUnavailable
        Postgres and Redis are both away and this process has never served.
    """
    now, held = time.time(), serving_state.last()
    # Where rules that count showings have just been published, they come by a round trip of their own, once.
    with_shown = held is not None and held.rulebook.asks_for_showings
    try:
        # Before anything was served there is nothing to go on with, and a first reading may take its time.
        with within(READ_SECONDS) if held else nullcontext():
            user, current = features.load(user_id, with_shown=with_shown)
        state = serving_state.at(current)
    except DatabaseError as error:
        if held is None:
            raise ModelUnavailable("The catalogue cannot be read and nothing has been served before.") from error
        user, state = _nobody(user_id), held
    may_record = record and bool(user_id) and user.consent
    return Visit(
        user=user,
        state=state,
        now=now,
        record=may_record,
        language=language,
        device=device,
        app_version=app_version,
    )


def _nobody(user_id: str) -> UserFeatures:
    """Return the features of a user of whom nothing can be read now."""
    return UserFeatures(user_id=user_id, stored=CachedUser(generation=b"", is_known=False, consent=False))
