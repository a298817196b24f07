"""Which kind of visitor somebody is, by how much is known of him: what rules can be limited to."""

from __future__ import annotations

from interactions.features import UserFeatures

NEW, RETURNING, REGULAR = "new", "returning", "regular"
REGULAR_FROM = 20
"""Events."""
SEGMENTS = {
    NEW: "has done nothing yet",
    RETURNING: f"has done something, fewer than {REGULAR_FROM} things",
    REGULAR: f"has done {REGULAR_FROM} things or more",
}


def of(user: UserFeatures) -> tuple[str, ...]:
    """Return the segments the user is in."""
    events = len(user.item_pks)
    return (NEW if not events else RETURNING if events < REGULAR_FROM else REGULAR,)
