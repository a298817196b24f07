"""Lists that were shown, made again as policies would have made them: what is known of a policy before it is tried.

1. A user's newest logged lists are read with what he took from each (`interactions.logged_lists`).
2. Each policy makes each list again, with what was known of the user at that moment. What its exploration slot could
   have drawn counts with its probability, so a policy is known by how probable each item was at each place
   (`rerankers.exploration.places`), like the one that served, whose propensities are on the impressions.
3. `decisions` puts both side by side for `experiments.off_policy`: a row is a place of a list. What a place earns under
   a policy that shows there what was never shown there is guessed (`experiments.expected_rewards`); the guess for one
   half of the users is learned from the other half, so that no click is explained by itself.

What is not known: the model is today's; what else stood on the page, lists about an item or a category, and languages
are not logged, so the first counts nothing, such lists are left out, and rules for some languages do nothing here.
Lists that mix variants have no propensities; they are drawn by lot, and left out as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from experiments.expected_rewards import ExpectedRewards, learn
from experiments.off_policy import Decisions
from interactions import features
from interactions.logged_lists import LoggedList, lists_of
from recommender.answering import Answer
from recommender.listing import BECAUSE_YOU_WATCHED, CATEGORY, SIMILAR
from recommender.rerankers.exploration import places
from recommender.visit import Visit

LISTS_A_USER = 3
DAYS = 30

Policy = Callable[[Visit, str], Answer]
"""Answers a visit at a placement."""
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MayStand = tuple[tuple[int, float], ...]
"""(primary key of an item, probability) of what a policy may show at one place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place of a list as it was shown, and what policies would have shown there."""

    item_pk: int
    position: int
    propensity: float
    """0 where it is not known."""
    reward: float
    """1 if it was taken, else 0."""
    policies: tuple[MayStand, ...]
    """Of each policy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What one user was shown, made again."""

    places: tuple[Place, ...] = ()
    lists: int = 0
    mixed: int = 0
    """Lists left out because they mix variants."""


def placements(visit: Visit, named: frozenset[str] = frozenset()) -> list[str]:
    """Return the placements whose lists can be made again, of those named (all where none is)."""
    about_something = (SIMILAR, BECAUSE_YOU_WATCHED, CATEGORY)
    specs = [spec for spec in visit.state.placements.specs if spec.recipe not in about_something]
    return [spec.name for spec in specs if not named or spec.name in named]


def replay(visit: Visit, policies: Sequence[Policy], stand_in: Sequence[str], event_type: str = "") -> Replayed:
    """Make a user's newest lists of some placements again.

    Parameters
    ----------
    stand_in
        Names of the placements.
    event_type
        Of the events that count as taking an item; "": every type of a positive weight.
    """
    since = datetime.fromtimestamp(visit.now, UTC) - timedelta(days=DAYS)
    lists = lists_of(visit.user.user_id, LISTS_A_USER, since=since, placements=stand_in, event_type=event_type)
    kept = [one for one in lists if any(item.propensity for item in one.items)]
    found: list[Place] = []
    for logged in kept:
        past = _as_it_was(visit, logged)
        again = [_may_stand(policy(past, logged.placement)) for policy in policies]
        found += [
            Place(
                item_pk=item.item_pk,
                position=item.position,
                propensity=item.propensity,
                reward=float(item.taken),
                policies=tuple(made.get(item.position, ()) for made in again),
            )
            for item in logged.items
        ]
    return Replayed(places=tuple(found), lists=len(kept), mixed=len(lists) - len(kept))


def _as_it_was(visit: Visit, logged: LoggedList) -> Visit:
    user = features.as_of(visit.user.user_id, logged.shown_at)
    return replace(visit, user=user, now=logged.shown_at.timestamp(), device=logged.device)


def _may_stand(answer: Answer) -> dict[int, MayStand]:
    """Return what may stand at each position of an answer."""
    pks = answer.query.catalogue.pks
    by_rule = [item.rule is not None for item in answer.items]
    found: dict[int, list[tuple[int, float]]] = {}
    for (row, position), chance in places(answer.query, answer.rows, by_rule).items():
        if chance:
            found.setdefault(position, []).append((int(pks[row]), chance))
    return {position: tuple(may_stand) for position, may_stand in found.items()}


def decisions(users: Sequence[Replayed], policies: int) -> list[Decisions]:
    """Return, for each of so many policies, what `experiments.off_policy` estimates by; rows are in the same order."""
    rows = [place for user in users for place in user.places]
    units = np.repeat(np.arange(len(users)), [len(user.places) for user in users])
    items = np.array([place.item_pk for place in rows], dtype=np.int64)
    positions = np.array([place.position for place in rows], dtype=np.int64)
    rewards = np.array([place.reward for place in rows], dtype=np.float64)
    logged = np.array([place.propensity for place in rows], dtype=np.float64)
    halves = [learn(items[of], positions[of], rewards[of]) for of in (units % 2 == 1, units % 2 == 0)]
    expected = _by_half(halves, units, items, positions)
    found = []
    for policy in range(policies):
        may_stand = [place.policies[policy] for place in rows]
        at = np.repeat(np.arange(len(rows)), [len(one) for one in may_stand])
        pks = np.array([pk for one in may_stand for pk, _ in one], dtype=np.int64)
        chances = np.array([chance for one in may_stand for _, chance in one], dtype=np.float64)
        of_policy = chances * _by_half(halves, units[at], pks, positions[at])
        found.append(
            Decisions(
                rewards=rewards,
                propensities=np.where(logged > 0, logged, np.nan),
                target=_summed(at, chances * (pks == items[at]), len(rows)),
                expected=expected,
                expected_of_target=_summed(at, of_policy, len(rows)),
                units=units,
            )
        )
    return found


def _summed(at: IntArray, values: FloatArray, n: int) -> FloatArray:
    # Of nothing, bincount returns integers.
    return np.bincount(at, weights=values, minlength=n).astype(np.float64)


def _by_half(halves: Sequence[ExpectedRewards], units: IntArray, items: IntArray, positions: IntArray) -> FloatArray:
    """Return what is expected, of users with an even number by the first of `halves`, of others by the second."""
    even = units % 2 == 0
    expected: FloatArray = np.where(even, *(half.of(items, positions) for half in halves))
    return expected
