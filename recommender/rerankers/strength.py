"""How strong a trade of relevance for variety is: stated in the recipe, or found by the rebuild for this site."""

from __future__ import annotations

from typing import Literal

from recommender.contracts import Query

Strength = float | Literal["tuned"]
"""0 changes nothing, 1 the most; "tuned": as the rebuild found worth its cost (`training.variety`)."""


def checked(strength: Strength) -> Strength:
    """Return it.

    Raises
    ------
    ValueError
        When it is neither 0..1 nor "tuned".
    """
    if strength != "tuned" and not 0 <= strength <= 1:
        raise ValueError(f'strength must be 0..1 or "tuned", not {strength!r}')
    return strength


def resolve(query: Query, part: str, chosen: Strength) -> float:
    """Return the strength to use; with a model version that was never tuned for `part`, 0."""
    if chosen != "tuned":
        return chosen
    found: dict[str, float] = {} if query.model is None else query.model.bundle.meta.get("variety", {})
    return found.get(part, 0.0)
