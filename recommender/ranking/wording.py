"""What a rebuild chose, in a sentence for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recommender.ranking.choosing import K

_NAMES = {"blend": "a blend of sources", "learned": "trees on a blend of sources"}


def sentence(meta: Mapping[str, Any]) -> str:
    """Return which ranking a model version has, how the others did, and how much variety it pays for.

    Parameters
    ----------
    meta
        The version's notes, or what a rebuild keeps of them: "ranking" and "variety".
    """
    ranking = meta.get("ranking")
    if ranking is None:
        return "Ranked by the recipe's weights: too few users to tune them."
    quality: Mapping[str, float] = ranking["quality"]
    best = max(ranking["columns"], key=lambda name: quality[name])
    name = _NAMES.get(ranking["kind"], f"the source {best} alone")
    others = [f"the source {best} alone {quality[best]:.4f}"] if ranking["kind"] in _NAMES else []
    others += [f"{_NAMES[kind]} {quality[kind]:.4f}" for kind in _NAMES if kind != ranking["kind"]]
    own = quality[ranking["kind"]] if ranking["kind"] in _NAMES else quality[best]
    strengths = ", ".join(f"{stage} {strength:g}" for stage, strength in meta.get("variety", {}).items() if strength)
    return (
        f"Ranked by {name}: NDCG@{K} {own:.4f} on users it did not learn from ({', '.join(others)}). "
        f"Variety that this pays for: {strengths or 'none'}."
    )
