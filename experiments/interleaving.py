"""Team-draft interleaving: two or more rankings compete inside one list of one user.

Radlinski et al., "How does clickthrough data reflect retrieval quality?" (2008). Rounds: in random order each team
drafts its best item that is not in the list yet. A click credits the team whose slot it is; the slots' teams must be
logged with the impression, so that a later click cannot be credited afresh. The unit of analysis is the user.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Generic, TypeVar

from scipy.special import bdtr

from experiments.exceptions import AnalysisRefused

T = TypeVar("T")

NOBODY = -1
"""Team of a slot that earns no credit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interleaved(Generic[T]):
    """A list and whose each slot is."""

    items: tuple[T, ...]
    teams: tuple[int, ...]
    """Index of the ranking that drafted the slot, or `NOBODY`."""

    def picks(self, team: int) -> tuple[T, ...]:
        """Return what the team drafted, in order."""
        return tuple(item for item, owner in zip(self.items, self.teams, strict=True) if owner == team)


def team_draft(rankings: Sequence[Sequence[T]], k: int, random: Random) -> Interleaved[T]:
    """Interleave two or more rankings into a list of at most `k` distinct items.

    Each ranking may be shorter than `k`. From the round on in which one has nothing left, slots earn no credit:
    a team must not win for having the longer list.

    Raises
    ------
    AnalysisRefused
        Fewer than two rankings.
    """
    if len(rankings) < 2:
        raise AnalysisRefused(f"Interleaving needs at least two rankings, got {len(rankings)}.")
    items: list[T] = []
    teams: list[int] = []
    taken: set[T] = set()
    waiting = [iter(ranking) for ranking in rankings]
    credited = True
    while len(items) < k:
        order = list(range(len(rankings)))
        random.shuffle(order)
        drafted, all_drafted = _round(waiting, order, taken, k - len(items))
        if not drafted:
            break
        credited = credited and all_drafted
        items += [item for _, item in drafted]
        teams += [team if credited else NOBODY for team, _ in drafted]
    return Interleaved(items=tuple(items), teams=tuple(teams))


def credit(teams: Sequence[int], clicked: Iterable[int], count: int = 2) -> tuple[int, ...]:
    """Return the clicked slots of each of `count` teams; `clicked` are positions, 0 is first, each counted once."""
    counts = [0] * count
    for position in set(clicked):
        if teams[position] != NOBODY:
            counts[teams[position]] += 1
    return tuple(counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """Which of two teams the users prefer."""

    first: int
    """Users who gave the first team more credit."""
    second: int
    ties: int
    share_of_second: float
    """Of the users with a preference; 0.5 when there is none."""
    p: float
    """Two-sided exact sign test; 1.0 when nobody has a preference."""


def preference(credits_of_users: Iterable[tuple[int, int]]) -> Preference:
    """Test whether the users prefer one of two teams, given each user's summed credits. Each user counts once."""
    first = second = ties = 0
    for of_first, of_second in credits_of_users:
        first += of_first > of_second
        second += of_second > of_first
        ties += of_first == of_second
    decided = first + second
    return Preference(
        first=first,
        second=second,
        ties=ties,
        share_of_second=second / decided if decided else 0.5,
        p=sign_test(first, second),
    )


def sign_test(first: int, second: int) -> float:
    """Return the two-sided exact p-value of so many users for one and for the other; 1.0 for nobody."""
    decided = first + second
    return min(1.0, 2 * float(bdtr(min(first, second), decided, 0.5))) if decided else 1.0


def _round(waiting: list[Iterator[T]], order: list[int], taken: set[T], room: int) -> tuple[list[tuple[int, T]], bool]:
    """Let each team of `order` draft one item while there is room; False when a team had none left."""
    drafted: list[tuple[int, T]] = []
    all_drafted = True
    for team in order:
        if len(drafted) == room:
            break
        for item in waiting[team]:
            if item not in taken:
                taken.add(item)
                drafted.append((team, item))
                break
        else:
            all_drafted = False
    return drafted, all_drafted
