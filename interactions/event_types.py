"""The kinds of event as a process holds them: read once, and again when an editor has changed one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.process_copy import ProcessCopy
from interactions.models import EventType
from interactions.training_weights import WeightTable


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTypes(WeightTable):
    """All event types, by name and by primary key."""

    revision: int
    id_by_name: Mapping[str, int]
    name_by_id: Mapping[int, str]
    half_life_days: NDArray[np.float64]
    """(largest primary key + 1,) float64: days by primary key, +inf for what does not fade."""
    marks_seen: frozenset[int]
    """Primary keys of the types after which the item is not recommended to this user again."""
    remembered: frozenset[int]
    """Primary keys of the types that histories hold: those with a weight, or that mark an item as seen. Being shown
    something is neither, and a page of it would push out what somebody did."""


def load(revision: int) -> EventTypes:
    """Read the event types from Postgres (one query)."""
    rows = list(EventType.objects.values_list("id", "name", "weight", "half_life_days", "liked_from", "marks_seen"))
    size = max((row[0] for row in rows), default=0) + 1
    weights = np.zeros(size, dtype=np.float32)
    half_lives = np.full(size, np.inf)
    liked_from = np.full(size, -np.inf, dtype=np.float32)
    for pk, _, weight, half_life, threshold, _ in rows:
        weights[pk] = weight
        half_lives[pk] = np.inf if half_life is None else half_life
        liked_from[pk] = -np.inf if threshold is None else threshold
    return EventTypes(
        revision=revision,
        id_by_name={name: pk for pk, name, *_ in rows},
        name_by_id={pk: name for pk, name, *_ in rows},
        weights=weights,
        half_life_days=half_lives,
        liked_from=liked_from,
        marks_seen=frozenset(pk for pk, *_, marks_seen in rows if marks_seen),
        remembered=frozenset(pk for pk, _, weight, _, _, marks_seen in rows if weight or marks_seen),
    )


_copy = ProcessCopy[EventTypes](lambda revision, earlier: load(revision))


def current(revision: int) -> EventTypes:
    """Return this process's copy, read anew when it is not of `revision` (of `catalog.revisions.EVENT_TYPES`)."""
    return _copy.at(revision)
