"""The demo's simulated visitors: people of its audience open the home page and take what suits them, by the site's own
doors, so that its dashboard, experiment and exploration have something to show.

Who comes, what he looks at and what he takes follows from a seed (`interactions.responses`). He reads row after row,
each less probably than the one above it, clicks on what he likes and watches most of that.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np

from catalog.snapshot import Catalogue
from interactions.contracts import EventInput
from interactions.recording import record
from interactions.responses import Audience, Temperament, examination
from interactions.simulation import simulate, user_id_of
from recommender import serving
from recommender.contracts import RecommendationList

PAGE = "home"
WATCHED = 0.7
"""Of what is clicked on."""
AT_ONCE = 1000
"""Visitors drawn together."""
MANNER = Temperament(new_items=0.0)
"""Items come by the catalogue only."""


class Visits:
    """People who come one after the other.

    Parameters
    ----------
    catalogue
        Whose simulated audience they are (`simulation.simulate`): of a few thousand items at most.
    """

    def __init__(self, catalogue: Catalogue, *, users: int, seed: int) -> None:
        people = simulate(catalogue, users=users, seed=seed)
        taken = [np.array([event.row for event in person.events], dtype=np.int64) for person in people]
        self._rows = {card.item_id: row for row, card in enumerate(catalogue.cards)}
        self.audience = Audience.among(catalogue, taken, seed=seed, temperament=MANNER)
        self._random = np.random.default_rng(seed)
        self._today: date | None = None

    def people(self) -> Iterator[int]:
        """Yield who comes, without end."""
        while True:
            yield from self.audience.visitors(AT_ONCE).tolist()

    def visit(self, person: int, today: date) -> list[EventInput]:
        """Show somebody the home page; return what he does, which is recorded."""
        if self._today not in (None, today):
            self.audience.pass_day()
        self._today = today
        shown = serving.page(PAGE, user_id=user_id_of(person + 1))
        looked_at = self._random.random(len(shown)) < examination(len(shown), MANNER.position_bias / 2)
        rows = [made for made, is_seen in zip(shown, looked_at, strict=True) if is_seen]
        done = [event for made in rows for event in self._does(person, made)]
        record(done)
        return done

    def _does(self, person: int, made: RecommendationList) -> Iterator[EventInput]:
        """Yield what he does with one row; items that came in since are not known to him."""
        known = [item.item_id for item in made.items if item.item_id in self._rows]
        chosen = self.audience.respond(person, np.array([self._rows[item_id] for item_id in known], dtype=np.int64))
        for item_id, is_chosen in zip(known, chosen.tolist(), strict=True):
            if is_chosen:
                kinds = ("click", "watch") if self._random.random() < WATCHED else ("click",)
                for kind in kinds:
                    yield EventInput(made.user_id, item_id, kind, request_id=made.request_id)
