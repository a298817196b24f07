"""How much variety lists get where nobody states any: the most that the ranking has earned.

What a ranking gains over the best single source, some of it may go to showing more of the catalogue. A ranking that is
no better than a single source has nothing to give away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product

from recommender import conf
from recommender.arrays import RowArray
from recommender.ranking.choosing import Ranking
from recommender.training.metrics import measure

K = 10
CHOICES = tuple(
    {"long_tail": long_tail, "discoveries": discoveries}
    for discoveries, long_tail in product((0.0, 0.1), (0.1, 0.2, 0.3, 0.4))
)
"""Strengths that are tried. On MovieLens latest-small (100k) split by time, discoveries at a tenth of the places showed
1.36 (1.46) times as many items for 2.0 % of NDCG@10, the long tail at 0.4 1.27 (1.23) times for 0.5 % (1.9 %)."""


def earned(ranking: Ranking) -> float:
    """Return the share of NDCG@10 that variety may cost, by RECOMMENDER_VARIETY."""
    if ranking.kind == "single":
        return 0.0
    limits = conf.get("VARIETY")
    gain = ranking.quality[ranking.kind] / max(ranking.quality[name] for name in ranking.columns) - 1
    return min(float(limits["share_of_gain"]) * gain, float(limits["at_most"]))


def find(
    lists_with: Callable[[Mapping[str, float]], Sequence[RowArray]], truth: Sequence[RowArray], allowed: float
) -> dict[str, float]:
    """Return the strengths, by re-ranker, that show most items at no more than the allowed cost; {}: none at all.

    Parameters
    ----------
    lists_with
        Gives the lists, one a user, that these strengths make.
    truth
        What each user took.
    allowed
        Share of NDCG@10.
    """
    if allowed <= 0:
        return {}
    found: Mapping[str, float] = {}
    plain = measure(lists_with(found), truth, k=K, catalogue_size=1)
    most = plain.coverage
    for strengths in CHOICES:
        measured = measure(lists_with(strengths), truth, k=K, catalogue_size=1)
        if measured.ndcg >= (1 - allowed) * plain.ndcg and measured.coverage > most:
            found, most = strengths, measured.coverage
    return dict(found)
