"""Real users of a segment, drawn at random: whose lists an editor looks at when he has nobody in particular in mind."""

from __future__ import annotations

from interactions import features
from interactions.queries import sample_of_users
from recommender import segments

DRAWN = 200
"""Users asked which segment they are in, at most."""


def users_of(segment: str, n: int = 5, seed: int = 0) -> list[str]:
    """Return the ids of at most `n` users of the segment; the same seed draws the same ones.

    "" stands for a new visitor: nobody who has been drawn has done nothing yet. Empty when none of DRAWN is in it.
    """
    if segment == segments.NEW:
        return [""]
    found: list[str] = []
    for user_id in sample_of_users(DRAWN, seed):
        if segment in segments.of(features.load(user_id)[0]):
            found.append(user_id)
        if len(found) == n:
            break
    return found
