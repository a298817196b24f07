"""How quickly a history fades: stated in the recipe, or found by the rebuild for this site."""

from __future__ import annotations

from typing import Literal

from recommender.registry.artifacts import Bundle

HalfLife = float | None | Literal["tuned"]
"""Events until an item of the history counts half; None: never; "tuned": as the model version says."""


def resolve(bundle: Bundle, part: str, chosen: HalfLife) -> float | None:
    """Return the half-life to use; a version that was never tuned for `part` weighs all of the history alike."""
    if chosen != "tuned":
        return chosen
    found: float | None = bundle.meta.get("half_lives", {}).get(part)
    return found
