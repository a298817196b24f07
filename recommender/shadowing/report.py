"""What came of a trial: how alike the lists are, what each took to make, and where each had what people took.

Bounded whatever the traffic: the newest LISTS lists, and of these the newest REPLAYED for what was taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from django.db import connection

from interactions.queries import taken_from
from recommender.models import Shadow, ShadowList
from recommender.shadowing.likeness import K
from recommender.training.bootstrap import intervals
from recommender.training.metrics import counts, hits, padded, per_user

LISTS = 50_000
REPLAYED = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OfLists:
    """The lists of one placement, or of all; shares are 0..1, times milliseconds."""

    placement: str | None
    """None: all."""
    lists: int
    overlap: float
    rank_biased_overlap: float
    identical: float
    """Share that are the same, item for item."""
    empty: float
    """Share of the shadow's lists without an item."""
    live_fallback: float
    shadow_fallback: float
    live_p50: float
    live_p95: float
    shadow_p50: float
    shadow_p95: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean over users with its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """Where the lists had what people took of those they were shown, each user counted once.

    Only what stood in the live list could be taken from it: the figures favour it, and the shadow's say how much of
    what was liked it would have kept, and how high.
    """

    lists: int
    users: int
    live_ndcg: Estimate
    shadow_ndcg: Estimate
    ndcg_change: Estimate
    live_hits: Estimate
    """Share of the lists whose first K have something that was taken."""
    shadow_hits: Estimate
    hits_change: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All there is to say."""

    all_lists: OfLists
    placements: tuple[OfLists, ...]
    replayed: Replayed | None
    """None while nobody has taken anything."""


def report(shadow: Shadow) -> Report | None:
    """Return what came of the trial so far; None before the first list."""
    of_lists = _of_lists(shadow)
    if not of_lists:
        return None
    return Report(all_lists=of_lists[0], placements=tuple(of_lists[1:]), replayed=_replayed(shadow))


def _of_lists(shadow: Shadow) -> list[OfLists]:
    """Return the figures of all lists, then by placement."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT CASE WHEN grouping(placement) = 0 THEN placement END, count(*), avg(overlap),
                avg(rank_biased_overlap), avg((live_items = shadow_items)::int),
                avg((cardinality(shadow_items) = 0)::int), avg(live_fallback::int), avg(shadow_fallback::int),
                percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY live_ms),
                percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY shadow_ms)
            FROM (SELECT * FROM recommender_shadowlist WHERE shadow_id = %s ORDER BY id DESC LIMIT %s) newest
            GROUP BY GROUPING SETS ((), (placement)) HAVING count(*) > 0
            ORDER BY grouping(placement) DESC, placement
            """,
            [shadow.pk, LISTS],
        )
        return [
            OfLists(
                placement=placement,
                lists=number,
                overlap=float(shared),
                rank_biased_overlap=float(biased),
                identical=float(identical),
                empty=float(empty),
                live_fallback=float(live_fallback),
                shadow_fallback=float(shadow_fallback),
                live_p50=live[0],
                live_p95=live[1],
                shadow_p50=other[0],
                shadow_p95=other[1],
            )
            for (
                placement, number, shared, biased, identical, empty, live_fallback, shadow_fallback, live, other,
            ) in cursor.fetchall()
        ]  # fmt: skip


def _replayed(shadow: Shadow) -> Replayed | None:
    newest = list(ShadowList.objects.filter(shadow=shadow).order_by("-id")[:REPLAYED])
    taken = taken_from({one.request_id: one.shown_at for one in newest})
    replayed = [one for one in newest if one.request_id in taken]
    if not replayed:
        return None
    wanted = [np.array(sorted(taken[one.request_id]), dtype=np.int64) for one in replayed]
    columns = []
    for lists in ([one.live_items for one in replayed], [one.shadow_items for one in replayed]):
        top = padded([np.array(items, dtype=np.int64) for items in lists], K)
        figures = per_user(hits(top, wanted), counts(wanted))
        columns += [figures["ndcg"], figures["hit_rate"]]
    live_ndcg, live_hits, shadow_ndcg, shadow_hits = columns
    by_list = np.stack(
        [live_ndcg, shadow_ndcg, shadow_ndcg - live_ndcg, live_hits, shadow_hits, shadow_hits - live_hits], axis=1
    )
    users, which = np.unique([one.user_id for one in replayed], return_inverse=True)
    by_user = np.zeros((len(users), by_list.shape[1]))
    np.add.at(by_user, which, by_list)
    by_user /= np.bincount(which)[:, None]
    found = intervals(by_user)
    estimates = [
        Estimate(mean=float(mean), low=float(low), high=float(high))
        for mean, low, high in zip(found.mean, found.low, found.high, strict=True)
    ]
    return Replayed(
        lists=len(replayed),
        users=len(users),
        live_ndcg=estimates[0],
        shadow_ndcg=estimates[1],
        ndcg_change=estimates[2],
        live_hits=estimates[3],
        shadow_hits=estimates[4],
        hits_change=estimates[5],
    )
