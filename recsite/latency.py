"""How long answers take, from the buckets that the web processes count in (`recsite.metrics`)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from itertools import pairwise

from recsite.metrics import counters

BUCKETS = "recsite_request_seconds_bucket"


def quantiles(views: Collection[str], shares: Sequence[float]) -> tuple[float, ...]:
    """Return the seconds within which each of `shares` (0..1, ascending) of the views' requests were answered.

    () when there was none yet. A value lies in its bucket as if the bucket were filled evenly, as Prometheus'
    `histogram_quantile` has it; in the last, open bucket it is that bucket's lower end.
    """
    below: dict[float, float] = defaultdict(float)
    for metric in counters().collect():
        for sample in metric.samples:
            if sample.name == BUCKETS and sample.labels["view"] in views:
                below[float(sample.labels["le"])] += sample.value
    steps = sorted(below.items())
    if not steps or not steps[-1][1]:
        return ()
    return tuple(_quantile([(0.0, 0.0), *steps], share) for share in shares)


def _quantile(steps: Sequence[tuple[float, float]], share: float) -> float:
    wanted = share * steps[-1][1]
    (low, before), (high, until) = next(pair for pair in pairwise(steps) if pair[1][1] >= wanted)
    if math.isinf(high) or until == before:
        return low
    return low + (high - low) * (wanted - before) / (until - before)
