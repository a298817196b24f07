"""How a draft would change the click rate, estimated from what was shown and clicked already.

Replay (Li et al. 2011, "Unbiased offline evaluation of contextual-bandit-based news article recommendation"): each of
a sample's logged lists is made again with what was known of its user at that moment, with the rules that serve and
with the draft's. Of what was shown then, only that counts for either which it would have shown, too, wherever in the
list; each item counts 1 / propensity, as far as MOST_WEIGHT, and the rate is self-normalised:

    Σ clicked · match / propensity  ÷  Σ match / propensity.

The interval is the normal one of the difference, linearised, with users as units; there is neither where few
impressions of large weight decide. What it does not know: an item that was never shown has no clicks to be counted, so
what a draft brings in newly is not valued; the model is today's; lists about an item, whose seed is not logged, are
left out; languages are not logged, so rules for some of them do nothing here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
from numpy.typing import NDArray

from experiments.off_policy import LEAST_EFFECTIVE_ROWS
from interactions import features
from interactions.logged_lists import LoggedList, lists_of
from recommender import serving
from recommender.listing import BECAUSE_YOU_WATCHED, SIMILAR
from recommender.rules.compile import Rulebook
from recommender.visit import Visit

LISTS_A_USER = 3
DAYS = 30
LEAST_MATCHING = 100
"""Logged impressions that the draft would have shown, too."""
MOST_WEIGHT = 20.0
NORMAL_95 = 1.959964


class Replay(msgspec.Struct, kw_only=True):
    """What the replay of all users has found."""

    impressions: int = 0
    matching_before: int = 0
    matching_after: int = 0
    """Logged impressions that the rules that serve, and the draft, would have shown, too."""
    before: float = 0.0
    after: float = 0.0
    """Clicks an impression, 0..1."""
    low: float = 0.0
    high: float = 0.0
    """95 % interval of after - before."""
    obstacle: str = ""
    """Why there are no rates; "" when there are."""


FloatArray = NDArray[np.float64]
Sums = tuple[int, FloatArray]
"""Impressions of a user that were logged, and (2, 4): before and after, of what matches the number of impressions, the
sum of their weights, the sum of the weights of the clicked ones, and the sum of the squared weights."""


def of_user(visit: Visit, drafted: Rulebook) -> Sums:
    """Make a user's newest lists again, with the rules that serve and with the draft's, and sum up what matches."""
    specs = visit.state.placements.specs
    placements = [spec.name for spec in specs if spec.recipe not in (SIMILAR, BECAUSE_YOU_WATCHED)]
    since = datetime.fromtimestamp(visit.now, UTC) - timedelta(days=DAYS)
    other = replace(visit, state=replace(visit.state, rulebook=drafted))
    impressions, sums = 0, np.zeros((2, 4))
    for logged in lists_of(visit.user.user_id, LISTS_A_USER, since=since, placements=placements):
        impressions += len(logged.items)
        sums += [_matching(logged, _shown_again(one, logged)) for one in (visit, other)]
    return impressions, sums


def estimate(users: Sequence[Sums]) -> Replay:
    """Return the click rates of both, and the interval of their difference, or why there are none."""
    sums = np.array([one for _, one in users]).reshape(-1, 2, 4)
    matching, weights, clicks, squares = (sums[:, :, number] for number in range(4))
    before, after = (int(count) for count in matching.sum(axis=0))
    found = Replay(impressions=sum(count for count, _ in users), matching_before=before, matching_after=after)
    least = min(before, after)
    if least < LEAST_MATCHING:
        found.obstacle = (
            f"Of {found.impressions} logged impressions {least} would be shown again, and {LEAST_MATCHING} are needed."
        )
        return found
    effective = (weights.sum(axis=0) ** 2 / squares.sum(axis=0)).min()
    if effective < LEAST_EFFECTIVE_ROWS:
        found.obstacle = (
            f"The {least} of {found.impressions} logged impressions that would be shown again say as much as "
            f"{effective:.0f} of equal probability, and {LEAST_EFFECTIVE_ROWS} are needed."
        )
        return found
    rates = clicks.sum(axis=0) / weights.sum(axis=0)
    influence = (clicks - rates * weights) / weights.mean(axis=0)
    difference = influence[:, 1] - influence[:, 0]
    margin = NORMAL_95 * math.sqrt(float(difference @ difference)) / len(users)
    found.before, found.after = (float(rate) for rate in rates)
    found.low, found.high = found.after - found.before - margin, found.after - found.before + margin
    return found


def _shown_again(visit: Visit, logged: LoggedList) -> set[int]:
    """Return the primary keys that the list would hold, made as at that moment."""
    user = features.as_of(visit.user.user_id, logged.shown_at)
    past = replace(visit, user=user, now=logged.shown_at.timestamp(), device=logged.device)
    made, _ = serving.list_for(past, context=logged.placement, explain=True)
    catalogue = visit.state.catalogue
    return {int(catalogue.pks[catalogue.row_of[item.item_id]]) for item in made.items}


def _matching(logged: LoggedList, shown: set[int]) -> tuple[float, float, float, float]:
    """Return how many items match, the sum of their weights, that of the clicked ones, and that of the squares."""
    matching = [item for item in logged.items if item.item_pk in shown]
    weights = [min(1 / item.propensity, MOST_WEIGHT) for item in matching]
    clicked = sum(weight for item, weight in zip(matching, weights, strict=True) if item.taken)
    return len(matching), sum(weights), clicked, sum(weight * weight for weight in weights)
