"""Refuses a build that would make lists worse, and says why."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recommender import conf


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a version may serve."""

    reasons: list[str]
    """Why not; empty when it may."""

    @property
    def passed(self) -> bool:
        """True when nothing speaks against it."""
        return not self.reasons


def judge(metrics: Mapping[str, Any], active: Mapping[str, Any] | None, *, has_events: bool) -> Verdict:
    """Compare a build's metrics with the active version's and with the floor.

    Parameters
    ----------
    metrics, active
        As `rebuilding` makes them: {"final": …, "sources": …, "index_recall": …}; {} in "final" when nothing could be
        held out. `active` is None when nothing serves yet: then only the floor counts.
    has_events
        Without events there is nothing to measure, and a content-only version is better than none.
    """
    limits: dict[str, float] = conf.get("GATE")
    reasons = []
    for name, recall in metrics.get("index_recall", {}).items():
        if recall < limits["minimum_recall"]:
            reasons.append(f"index {name} has a recall@10 of {recall:.3f}; {limits['minimum_recall']} needed")
    final = metrics.get("final")
    if final is None:
        if active and active.get("final"):
            reasons.append("nothing could be measured although the active version was" + _no_events(has_events))
        return Verdict(reasons)
    if not all(math.isfinite(value) for value in final.values()):
        reasons.append("a metric is not finite")
        return Verdict(reasons)
    if final["coverage"] < limits["minimum_coverage"]:
        reasons.append(f"lists cover {final['coverage']:.4f} of the catalogue; {limits['minimum_coverage']} needed")
    popular = metrics["sources"].get("popular", {}).get("ndcg", 0.0)
    if final["ndcg"] < popular:
        reasons.append(f"NDCG@10 {final['ndcg']:.4f} is below the popular list's {popular:.4f}")
    before = (active or {}).get("final", {}).get("ndcg")
    if before is not None and final["ndcg"] < limits["minimum_share_of_active"] * before:
        share = limits["minimum_share_of_active"]
        reasons.append(f"NDCG@10 {final['ndcg']:.4f} is below {share} × the active version's {before:.4f}")
    return Verdict(reasons)


def _no_events(has_events: bool) -> str:
    return "" if has_events else " (there are no events)"
