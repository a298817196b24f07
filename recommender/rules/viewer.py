"""Who asks for a list, as far as rules care, and which of them are for him."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from experiments import hashing
from recommender.rules.vocabulary import RuleSpec


class Viewer(msgspec.Struct, frozen=True, kw_only=True):
    """One user at one place of the site."""

    user_id: str = ""
    placement: str = ""
    country: str = ""
    language: str = ""
    device: str = ""
    segments: tuple[str, ...] = ()


def is_for(spec: RuleSpec, viewer: Viewer) -> bool:
    """Return whether the rule's audience takes the viewer in, and its holdout does not keep him out."""
    audience = spec.audience
    if audience.placements and viewer.placement not in audience.placements:
        return False
    if audience.countries and viewer.country not in audience.countries:
        return False
    if audience.devices and viewer.device not in audience.devices:
        return False
    if audience.languages and not any(_speaks(viewer.language, wanted) for wanted in audience.languages):
        return False
    if audience.segments and not set(audience.segments).intersection(viewer.segments):
        return False
    return not is_held_out(spec, viewer.user_id)


def is_held_out(spec: RuleSpec, user_id: str) -> bool:
    """Return whether the rule leaves this user out: always the same ones, and others than another rule does.

    Nobody in particular is not left out: what he sees could not be told apart.
    """
    if not spec.holdout or not user_id:
        return False
    return hashing.position_after(_seed_of(spec.pk), user_id) < spec.holdout


@lru_cache(maxsize=10_000)
def _seed_of(pk: int) -> int:
    return hashing.seed_state(f"rule {pk}")


def _speaks(language: str, wanted: str) -> bool:
    language, wanted = language.casefold(), wanted.casefold()
    return language == wanted or language.startswith(f"{wanted}-")
