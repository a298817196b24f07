"""How much variety lists get where nobody states any: the most that the ranking has earned.

What a ranking gains over the best single source, some of it may go to showing more of the catalogue. A ranking that is
hardly better than a single source has nothing to give away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product

import numpy as np

from recommender import conf
from recommender.arrays import RowArray
from recommender.training.metrics import UserFigures, counts, hits, padded, per_user, shown

K = 10
CATEGORIES = {"category_diversity": 0.1}
"""Tried first, and what lists get where nothing could be measured: a list of one category reads worst."""
CHOICES = tuple(
    {"long_tail": long_tail, "discoveries": discoveries}
    for discoveries, long_tail in product((0.0, 0.1), (0.1, 0.2, 0.3))
)
"""Strengths by re-ranker. On MovieLens latest-small (and 100k) split by time, the last of them showed 1.5 (1.5) times
as many items for 1.7 % (2.8 %) of NDCG@10, `CATEGORIES` with it."""


def find(
    lists_with: Callable[[Mapping[str, float]], Sequence[RowArray]], truth: Sequence[RowArray], gain: float
) -> dict[str, float]:
    """Return the strengths, by re-ranker, that show most items for what RECOMMENDER_VARIETY allows; {}: none.

    What they cost on these users must be within the limit, and surely (with one standard error) within the share of the
    gain: where the gain is small, few users cannot tell what a strength costs.

    Parameters
    ----------
    lists_with
        Gives the lists, one a user, that these strengths make.
    truth
        What each user took.
    gain
        Share of NDCG that the ranking has surely gained.
    """
    limits = conf.get("VARIETY")
    earned = float(limits["share_of_gain"]) * gain
    if earned <= 0:
        return {}
    plain_lists = lists_with({})
    plain = _ndcg(plain_lists, truth)
    if not plain.any():
        return {}

    def affordable(lists: Sequence[RowArray]) -> bool:
        cost = (plain - _ndcg(lists, truth)) / plain.mean()
        error = cost.std() / np.sqrt(len(cost))
        # That lists get better by it is luck.
        mean = max(float(cost.mean()), 0.0)
        return bool(mean <= float(limits["at_most"]) and mean + error <= earned)

    categories = CATEGORIES if affordable(lists_with(CATEGORIES)) else {}
    found, most = categories, len(shown(padded(plain_lists, K)))
    for strengths in CHOICES:
        tried = {**categories, **strengths}
        lists = lists_with(tried)
        items = len(shown(padded(lists, K)))
        if items > most and affordable(lists):
            found, most = tried, items
    return dict(found)


def _ndcg(lists: Sequence[RowArray], truth: Sequence[RowArray]) -> UserFigures:
    return per_user(hits(padded(lists, K), truth), counts(truth))["ndcg"]
