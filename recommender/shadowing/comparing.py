"""Makes lists again with the version that shadows, from a thread of its own, after the answers.

A request is kept for as long as it takes to note what it asked for. Where lists come quicker than the thread makes
them, those that find MOST_WAITING before them are dropped and counted.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from prometheus_client import Counter as Metric

from interactions.contracts import ServedList
from interactions.impression_sender import Sender
from recommender.contracts import RecommendationList
from recommender.exceptions import RecommenderError
from recommender.models import ShadowList
from recommender.shadowing import lists, opened
from recommender.shadowing.likeness import overlap, rank_biased_overlap
from recommender.shadowing.lists import LONGEST
from recommender.shadowing.switch import RunningShadow
from recommender.visit import Visit

logger = logging.getLogger(__name__)

MOST_WAITING = 20
"""Lists, which take half a second together; each holds on to the catalogue and the model of its request."""

DROPPED = Metric("recommender_shadow_dropped", "Lists that were not compared: too many waited.")

Made = tuple[RecommendationList, ServedList]
Again = Callable[[Visit], Made]
"""Makes the same list for a visit that has another model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One list that has been made for a user."""

    shadow: RunningShadow
    visit: Visit
    live: RecommendationList
    served: ServedList
    milliseconds: float
    again: Again


def note(visit: Visit, made: Made, seconds: float, again: Again) -> None:
    """Have a list that took `seconds` to make compared if its user is among the chosen. Never waits, never raises."""
    shadow = visit.state.shadow
    if shadow is None:
        opened.let_go()
        return
    live, served = made
    if not visit.record or live.model_version == shadow.name or not shadow.takes(visit.user.user_id):
        return
    noted = Note(shadow=shadow, visit=visit, live=live, served=served, milliseconds=1000 * seconds, again=again)
    if not sender.put(noted):
        DROPPED.inc()
        with _counting:
            _dropped[shadow.pk] += 1


_counting = threading.Lock()
_dropped: Counter[int] = Counter()
"""By shadow, those not yet written."""


def _compare(notes: Sequence[Note]) -> None:
    compared: list[ShadowList] = []
    failed: dict[int, list[str]] = {}
    for one in notes:
        try:
            compared.append(_compared(one))
        except RecommenderError as error:
            failed.setdefault(one.shadow.pk, []).append(str(error))
        # Whatever a version that nobody has published does, it is told on its page, and the next list gets its turn.
        except Exception as error:
            logger.exception("shadow %s", one.shadow.name)
            failed.setdefault(one.shadow.pk, []).append(f"{type(error).__name__}: {error}")
    with _counting:
        dropped = dict(_dropped)
        _dropped.clear()
    lists.store(compared, dropped, failed)


def _compared(one: Note) -> ShadowList:
    state = one.visit.state
    view = opened.view(one.shadow, state.catalogue)
    other = replace(one.visit, state=replace(state, bundle=view.bundle, model=view))
    began = time.perf_counter()
    made, served = one.again(other)
    took = 1000 * (time.perf_counter() - began)
    live_items, shadow_items = ([item.item_pk for item in shown.items[:LONGEST]] for shown in (one.served, served))
    return ShadowList(
        shadow_id=one.shadow.pk,
        request_id=one.served.request_id,
        user_id=one.served.user_id,
        placement=one.served.placement,
        shown_at=datetime.fromtimestamp(one.served.shown_at, UTC),
        live_items=live_items,
        shadow_items=shadow_items,
        overlap=overlap(live_items, shadow_items),
        rank_biased_overlap=rank_biased_overlap(live_items, shadow_items),
        live_fallback=one.live.fallback,
        shadow_fallback=made.fallback,
        live_ms=one.milliseconds,
        shadow_ms=took,
    )


sender = Sender(_compare, most=MOST_WAITING, name="shadow")
"""This process's."""
