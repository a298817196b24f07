"""One slot of the list for an item that hardly anybody has been shown yet: nothing new could be learnt otherwise.

The items come from the source `unexplored`; being ordinary candidates, they have passed every filter. Position and
item are drawn from a hash of the user, the placement and the hour: a reload shows the same list, and how probable each
item was where it stands can be stated (`propensities`), so that the clicks can be weighed by it later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.bandits import LinearBounds, best_chances, best_only, draw, floored
from interactions import explored_contexts
from recommender.arrays import RowArray
from recommender.contracts import Candidates, Query
from recommender.pipeline.stages import Reranker
from recommender.sources.top_rows import top_rows
from recommender.sources.unexplored import Unexplored, shown_times

HOUR_SECONDS = 3600
LEAST_SHOWN, THOMPSON, LINUCB = POLICIES = "least_shown", "thompson", "linucb"


@dataclass(frozen=True, slots=True)
class Slot:
    """What was drawn for one list."""

    row: int
    """Catalogue row of the item."""
    chance: float
    """Probability with which this item was drawn."""
    first: int
    last: int
    """Positions (0 is first) one of which was drawn, each as probable as the other."""
    others: tuple[tuple[int, float], ...] = ()
    """(row, probability) of the items that could have been drawn instead."""


class Exploration(Reranker):
    """Moves one candidate of the source `unexplored` to a position between `first` and `last`.

    Of the `pool` least shown ones, an item is drawn with a probability proportional to
    (1 + match · max(0, content score)) / (1 + times shown)²: what few have seen, and of that rather what is like the
    user's history. A list shorter than `first` is left alone. Hidden items are never drawn, nor those that are among
    the first `last` by their own score.

    Parameters
    ----------
    first, last
        Positions, 1 is first.
    pool
        Items to draw from. Of many, the unseen ones would be drawn too seldom.
    match
        How much more probable the closest match is than an item that has nothing in common with the history.
    policy
        "least_shown", as above; "thompson": an item is drawn with the probability that it is the one people take most,
        by what came of its showings so far (`experiments.bandits`); or "linucb": the item with the highest upper bound
        for this person and moment (`interactions.explored_contexts`). What comes of such a slot is no sample of fixed
        size; compare policies by experiment, or by `experiments.off_policy`.
    floor
        With "thompson" and "linucb", no item of the pool is drawn more seldom than this.
    alpha
        With "linucb", how much being unsure of an item counts.
    """

    name = "exploration"

    def __init__(
        self,
        first: int = 3,
        last: int = 10,
        pool: int = 10,
        match: float = 4.0,
        policy: str = LEAST_SHOWN,
        floor: float = 0.02,
        alpha: float = 0.5,
    ) -> None:
        if not 1 <= first <= last:
            raise ValueError(f"first and last must be positions in order, not {first!r} and {last!r}")
        if policy not in POLICIES:
            raise ValueError(f"policy must be one of {', '.join(POLICIES)}, not {policy!r}")
        self.policy = policy
        self.floor = floor
        self.alpha = alpha
        self.first = first
        self.last = last
        self.pool = pool
        self.match = match

    def enabled(self, query: Query) -> bool:
        return query.explored is not None

    def rerank(self, query: Query, candidates: Candidates) -> Candidates:
        last = min(self.last, query.limit, len(candidates))
        pool = self._pool(query, candidates, last)
        if last < self.first or not len(pool):
            return candidates
        position_draw, item_draw = _draws(query)
        chances = self._chances(query, candidates, pool)
        drawn = draw(chances, item_draw)
        position, chosen = self.first - 1 + int(position_draw * (last - self.first + 1)), int(pool[drawn])
        drawable = list(zip(candidates.rows[pool].tolist(), chances.tolist(), strict=True))
        row, chance = drawable.pop(drawn)
        query.scratch[self.name] = Slot(row, chance, self.first - 1, last - 1, tuple(drawable))
        moved = candidates.take(np.insert(np.delete(np.arange(len(candidates)), chosen), position, chosen))
        # Its follower's: a later stage that sorts by score leaves it where it is.
        moved.score[position] = moved.score[position + 1]
        return moved

    def _pool(self, query: Query, candidates: Candidates, last: int) -> RowArray:
        """Return the positions of the candidates that may be drawn: those that would not be among the first anyway."""
        unexplored = candidates.source_scores.get(Unexplored.name)
        if unexplored is None:
            return np.empty(0, dtype=np.int64)
        allowed = np.isfinite(unexplored)
        allowed[:last] = False
        if query.rules is not None:
            allowed &= query.rules.admits(candidates.rows)
        allowed_at = np.flatnonzero(allowed)
        return allowed_at[top_rows(unexplored[allowed_at], self.pool)]

    def _chances(self, query: Query, candidates: Candidates, pool: RowArray) -> NDArray[np.float64]:
        shown = shown_times(query, candidates.rows[pool])
        if self.policy == THOMPSON:
            taken = [query.taken.get(pk, 0) for pk in query.catalogue.pks[candidates.rows[pool]].tolist()]
            return floored(np.array(best_chances(tuple(taken), tuple(shown.astype(int).tolist()))), self.floor)
        if self.policy == LINUCB:
            return floored(best_only(self._bounds(query, candidates.rows[pool])), self.floor)
        weights = (1 + shown) ** -2.0
        alike = candidates.source_scores.get("content")
        if alike is not None:
            weights *= 1 + self.match * np.maximum(np.nan_to_num(alike[pool]), 0)
        chances: NDArray[np.float64] = weights / weights.sum()
        return chances

    def _bounds(self, query: Query, rows: RowArray) -> NDArray[np.float64]:
        """Return (len(rows),) how often each item may be taken in the context of this request, at best."""
        bounds = []
        for row in rows.tolist():
            arm = LinearBounds(len(explored_contexts.FEATURES), alpha=self.alpha)
            for context, shown, taken in query.explored_contexts.get(int(query.catalogue.pks[row]), ()):
                arm.learn(np.array(explored_contexts.vector(context)), taken, shown)
            is_own = query.country in query.catalogue.cards[row].countries
            here = explored_contexts.vector(explored_contexts.number(own_country=is_own, at=query.now))
            bounds.append(arm.bounds(np.array([here])))
        return np.concatenate(bounds)


def slot_of(query: Query) -> Slot | None:
    """Return what was drawn for this request's list, None when it has no exploration slot."""
    slot: Slot | None = query.scratch.get(Exploration.name)
    return slot


def propensities(query: Query, shown: Candidates) -> NDArray[np.float64]:
    """Return (shown,) the probability of each item of the final list to stand where it does (`places`)."""
    rows = shown.rows.tolist()
    chances = places(query, rows, shown.pinned.tolist())
    return np.array([chances.get((row, position), 0.0) for position, row in enumerate(rows)])


def places(query: Query, rows: Sequence[int], pinned: Sequence[bool]) -> dict[tuple[int, int], float]:
    """Return (row, position) → probability of everything that could have stood in this request's list.

    With k positions to draw from, each item that could be explored stands at each of them with its chance / k. Any
    other item is pushed back by one place when the slot lies before it: what precedes all positions, or follows them,
    is certain. Pins are certain, and take no rank.

    Parameters
    ----------
    rows, pinned
        The list as it was drawn, and which of its items a rule has put where they stand.
    """
    slot = slot_of(query)
    free = [position for position, is_pinned in enumerate(pinned) if not is_pinned]
    if slot is None or slot.row not in [rows[position] for position in free]:
        return {(row, position): 1.0 for position, row in enumerate(rows)}
    chances = {(row, position): 1.0 for position, row in enumerate(rows) if pinned[position]}
    k = slot.last - slot.first + 1
    for rank, row in enumerate(rows[position] for position in free if rows[position] != slot.row):
        # Positions drawn at or before an item's rank push it back, the others do not.
        pushed = min(max(rank - slot.first + 1, 0), k) / k
        chances[row, free[rank]] = 1 - pushed
        if rank + 1 < len(free):
            chances[row, free[rank + 1]] = pushed
    for row, chance in ((slot.row, slot.chance), *slot.others):
        chances |= {(row, position): chance / k for position in free[slot.first : slot.last + 1]}
    return chances


def _draws(query: Query) -> tuple[float, float]:
    """Return two numbers in 0..1, the same for this user and placement within the hour."""
    drawn_for = f"{query.user_id}\0{query.placement}\0{int(query.now // HOUR_SECONDS)}"
    digest = hashlib.blake2b(drawn_for.encode(), digest_size=16).digest()
    return int.from_bytes(digest[:8]) / 2**64, int.from_bytes(digest[8:]) / 2**64
