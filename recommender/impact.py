"""What rules would change, found out before they are published: real users' lists with them and without.

Of a sample of users who have done something, each placement's list is made twice, with the rules that serve and with
the draft. Where a placement is personal, the newest thing each user did is hidden first, and where it stands in both
lists says what the rules cost or bring: NDCG@10 of that one item, 1 / log2(place + 1), with a 95 % interval of the mean
difference. The model has learned from those deeds: both figures are too high, and only their difference says
something. How the click rate would change is told by a replay of what they were shown (`impact_replay`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import msgspec
import numpy as np

from interactions.features import UserFeatures
from interactions.queries import sample_of_users
from recommender import impact_replay, serving
from recommender.contracts import RecommendationList
from recommender.impact_replay import Replay
from recommender.listing import SIMILAR
from recommender.queries import PlacementSpec
from recommender.replaying import Replayed
from recommender.rules.compile import Rulebook
from recommender.rules.vocabulary import RuleSpec
from recommender.serving import PERSONALIZED
from recommender.visit import Visit, begin

USERS = 200
MOST_NAMED = 10
K = 10
NORMAL_95 = 1.959964


class OfPlacement(msgspec.Struct, kw_only=True):
    """What changes in one placement."""

    placement: str
    lists: int = 0
    changed: int = 0
    """Lists that are not the same."""
    slots: int = 0
    moved: int = 0
    """Places of the lists as they would be that hold another item than now."""
    by_rule_before: int = 0
    by_rule_after: int = 0
    """Places that a rule has filled."""
    measured: int = 0
    """Users whose newest deed was hidden; 0 where the list is not personal."""
    ndcg_before: float = 0.0
    ndcg_after: float = 0.0
    low: float = 0.0
    high: float = 0.0
    """95 % interval of the difference."""


class Impact(msgspec.Struct, kw_only=True):
    """What changes."""

    users: int
    placements: list[OfPlacement]
    gained: list[tuple[str, str, int]]
    lost: list[tuple[str, str, int]]
    """(external id, title, lists) of the items that stand in more lists than now, or in fewer."""
    replay: Replay = msgspec.field(default_factory=Replay)
    """How the click rate would change."""


def measure(
    specs: Sequence[RuleSpec], *, users: int = USERS, seed: int = 0, tell: Callable[[int, int], None] = lambda *_: None
) -> Impact:
    """Return what publishing `specs` would change.

    Parameters
    ----------
    seed
        The same one draws the same users.
    tell
        Called with the number of users looked at and of all.
    """
    sample = sample_of_users(users, seed)
    found: dict[str, OfPlacement] = {}
    differences: dict[str, list[tuple[float, float]]] = {}
    shown: Counter[tuple[str, str]] = Counter()
    replayed: list[Replayed] = []
    drafted: Rulebook | None = None
    for done, user_id in enumerate(sample):
        visit = begin(user_id, record=False)
        if drafted is None or drafted.catalogue is not visit.state.catalogue:
            drafted = Rulebook(visit.state.rulebook.revision, specs, visit.state.catalogue)
        for placement in visit.state.placements.specs:
            pair = _both(visit, drafted, placement)
            if pair is None:
                continue
            _count(found.setdefault(placement.name, OfPlacement(placement=placement.name)), *pair, shown)
            if placement.recipe == PERSONALIZED:
                gains = _gains(visit, drafted, placement)
                if gains is not None:
                    differences.setdefault(placement.name, []).append(gains)
        replayed.append(impact_replay.of_user(visit, drafted))
        tell(done + 1, len(sample))
    for name, pairs in differences.items():
        _measured(found[name], np.array(pairs))
    ranked = [(item_id, title, count) for (item_id, title), count in shown.most_common() if count]
    return Impact(
        users=len(sample),
        placements=list(found.values()),
        gained=[one for one in ranked if one[2] > 0][:MOST_NAMED],
        lost=[one for one in reversed(ranked) if one[2] < 0][:MOST_NAMED],
        replay=impact_replay.estimate(replayed),
    )


Pair = tuple[RecommendationList, RecommendationList]


def _both(visit: Visit, drafted: Rulebook, placement: PlacementSpec) -> Pair | None:
    """Return the list with the rules that serve and with the draft; None where there is nothing to be about."""
    seed = ""
    if placement.recipe == SIMILAR:
        if not len(visit.history.rows):
            return None
        seed = visit.state.catalogue.cards[int(visit.history.rows[0])].item_id
    other = replace(visit, state=replace(visit.state, rulebook=drafted))
    # Explained, a list is neither taken from what is kept for requests nor kept for them.
    before, after = (
        serving.list_for(one, context=placement.name, seed_item_id=seed, explain=True)[0] for one in (visit, other)
    )
    return before, after


def _count(
    found: OfPlacement, before: RecommendationList, after: RecommendationList, shown: Counter[tuple[str, str]]
) -> None:
    old, new = [item.item_id for item in before.items], [item.item_id for item in after.items]
    found.lists += 1
    found.changed += old != new
    found.slots += len(new)
    found.moved += sum(place >= len(old) or old[place] != item_id for place, item_id in enumerate(new))
    found.by_rule_before += sum(item.rule is not None for item in before.items)
    found.by_rule_after += sum(item.rule is not None for item in after.items)
    shown.update({(item.item_id, item.card.title): 1 for item in after.items if item.item_id not in old})
    shown.subtract({(item.item_id, item.card.title): 1 for item in before.items if item.item_id not in new})


def _gains(visit: Visit, drafted: Rulebook, placement: PlacementSpec) -> tuple[float, float] | None:
    """Return the NDCG@10 of the user's newest deed in both lists; None when he has not done enough."""
    past, hidden = without_newest(visit.user)
    row = int(visit.state.catalogue.rows_of_pks(np.array([hidden], dtype=np.int64))[0])
    if past is None or row < 0:
        return None
    pair = _both(replace(visit, user=past), drafted, placement)
    if pair is None:
        return None
    item_id = visit.state.catalogue.cards[row].item_id
    before, after = (_gain([item.item_id for item in one.items[:K]], item_id) for one in pair)
    return before, after


def without_newest(user: UserFeatures) -> tuple[UserFeatures | None, int]:
    """Return the user as if he had never met the item of his newest event, and that item's primary key.

    None for somebody who has met fewer than two items.
    """
    events = user.events
    if not len(events) or (events["item"] == events["item"][0]).all():
        return None, -1
    newest = int(events["item"][0])
    seen = np.frombuffer(user.stored.seen, dtype="<i8")
    stored = replace(
        user.stored, history=events[events["item"] != newest].tobytes(), seen=seen[seen != newest].tobytes()
    )
    return UserFeatures(user_id=user.user_id, stored=stored), newest


def _gain(item_ids: Sequence[str], wanted: str) -> float:
    return 1 / math.log2(item_ids.index(wanted) + 2) if wanted in item_ids else 0.0


def _measured(found: OfPlacement, pairs: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> None:
    difference = pairs[:, 1] - pairs[:, 0]
    found.measured = len(pairs)
    found.ndcg_before, found.ndcg_after = (float(mean) for mean in pairs.mean(axis=0))
    half = NORMAL_95 * float(difference.std(ddof=1)) / math.sqrt(len(pairs)) if len(pairs) > 1 else 1.0
    found.low, found.high = float(difference.mean()) - half, float(difference.mean()) + half
