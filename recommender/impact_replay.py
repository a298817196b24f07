"""How a draft would change the click rate, estimated from what was shown and clicked already (`replaying`).

Doubly robust: what stands where it could have stood then is weighed by its propensity, the rest is guessed by its place
and item, and `covered` says how much that is not. The interval is that of the difference, with users as units; it does
not know how wrong the guess is. There is none where few impressions of large weight decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from experiments import off_policy
from experiments.exceptions import AnalysisRefused
from recommender import replaying, serving
from recommender.answering import Answer
from recommender.replaying import Replayed
from recommender.rules.compile import Rulebook
from recommender.visit import Visit


class Replay(msgspec.Struct, kw_only=True):
    """What the replay of all users has found."""

    impressions: int = 0
    covered: float = 0.0
    """Share of what the draft would show that could have been shown there before."""
    before: float = 0.0
    after: float = 0.0
    """Clicks an impression, 0..1."""
    low: float = 0.0
    high: float = 0.0
    """95 % interval of after - before."""
    obstacle: str = ""
    """Why there are no rates; "" when there are."""


def of_user(visit: Visit, drafted: Rulebook) -> Replayed:
    """Make a user's newest lists again, with the rules that serve and with the draft's."""

    def with_draft(past: Visit, placement: str) -> Answer:
        return as_it_is(replace(past, state=replace(past.state, rulebook=drafted)), placement)

    return replaying.replay(visit, [as_it_is, with_draft], replaying.placements(visit))


def as_it_is(past: Visit, placement: str) -> Answer:
    """Answer as the placement does without any experiment."""
    return serving.look_into(past, context=placement)[1]


def estimate(users: Sequence[Replayed]) -> Replay:
    """Return the click rates of both, and the interval of their difference, or why there are none."""
    before, after = replaying.decisions(users, 2)
    impressions = len(before.rewards)
    try:
        rates = [off_policy.estimate(one, off_policy.doubly_robust).value for one in (before, after)]
        difference = off_policy.difference(before, after, off_policy.doubly_robust)
    except AnalysisRefused as refusal:
        return Replay(impressions=impressions, obstacle=str(refusal))
    return Replay(
        impressions=impressions,
        covered=min(after.covered, 1.0),
        before=rates[0],
        after=rates[1],
        low=difference.low,
        high=difference.high,
    )
