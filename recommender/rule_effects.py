"""What a rule brings or costs, measured on the users that its holdout keeps out.

Everybody who was shown a list of the rule's placements, at a time when the rule was in force, is counted: among those
who got it or among those held out, by the same hash that decides in serving (`rules.viewer`). This is an
intention-to-treat comparison: whether the rule changed anything in a list is not asked, so nothing that the rule
itself changes chooses who is counted, and the difference is unbiased. It is diluted where the rule is for some
devices, languages or segments only, which impressions do not say: then both groups hold people it was never for, and
what it does to those it is for is more. Countries are the users' own, as they are known now.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec
from django.utils import timezone

from experiments.analysis.proportions import two_proportions
from experiments.analysis.sample import Sample
from experiments.analysis.srm import SRM_ALPHA, sample_ratio_p
from interactions.list_responses import Hours, Responses, responses
from recommender.models import RuleEffect, ServedRules
from recommender.rules import versions
from recommender.rules.schedule import MINUTES_A_DAY, Schedule
from recommender.rules.viewer import is_held_out
from recommender.rules.vocabulary import RuleSpec

MINIMUM_USERS = 100
"""In each group: with fewer the normal approximation of two shares is not relied on."""
MOST_DAYS = 90
"""Of impressions that are read."""
MEASURED_EVERY = timedelta(hours=1)
VERSIONS_READ = 500
"""Publications looked back through for the moment since which a rule has served unchanged."""


class Group(msgspec.Struct, kw_only=True):
    """The users who got the rule, or those it was kept from."""

    users: int = 0
    lists: int = 0
    taken_from: int = 0
    """Lists that something was taken from."""
    with_click: int = 0
    """Users who took something from one of their lists."""

    @property
    def click_through_rate(self) -> float:
        """Share of lists that something was taken from."""
        return self.taken_from / self.lists if self.lists else 0.0

    @property
    def share_with_click(self) -> float:
        """Share of users who took something."""
        return self.with_click / self.users if self.users else 0.0


class Effect(msgspec.Struct, kw_only=True):
    """What was measured."""

    since: datetime
    until: datetime
    holdout: float
    got: Group
    held_out: Group
    split_p: float
    """Of the groups' sizes, given the holdout."""
    difference: float = 0.0
    low: float = 0.0
    high: float = 0.0
    """Of the share of users with a click, got minus held out, with its 95 % interval; 0 while `obstacle` is not ""."""
    obstacle: str = ""
    """Why there is no difference to show."""
    diluted_by: list[str] = []
    """What the rule is limited by that impressions do not say."""

    @property
    def split_is_sound(self) -> bool:
        """Whether the groups are of the sizes that the holdout gives."""
        return self.split_p >= SRM_ALPHA

    @property
    def groups(self) -> list[tuple[str, Group]]:
        """Both, with their names."""
        return [("get the rule", self.got), ("are kept out", self.held_out)]

    @property
    def verdict(self) -> str:
        """The finding in a sentence."""
        if self.obstacle:
            return self.obstacle
        if self.low > 0:
            return "The rule brings clicks: users who get it click more often than those it is kept from."
        if self.high < 0:
            return "The rule costs clicks: users who get it click less often than those it is kept from."
        return "No difference can be told yet: it may bring as well as cost clicks."


def measure(spec: RuleSpec, since: datetime, until: datetime) -> Effect:
    """Return what the rule did between two moments at which it was published unchanged."""
    schedule, audience = spec.schedule, spec.audience
    begin = max([since, until - timedelta(days=MOST_DAYS), *_moments(schedule.since)])
    end = min([until, *_moments(schedule.until)])
    found: Iterable[Responses] = ()
    if begin < end:
        found = responses(
            begin, end, placements=audience.placements, countries=audience.countries, hours=_hours(schedule)
        )
    groups = {True: Group(), False: Group()}
    for one in found:
        group = groups[is_held_out(spec, one.user_id)]
        group.users += 1
        group.lists += one.lists
        group.taken_from += one.taken_from
        group.with_click += one.taken_from > 0
    limits = {"devices": audience.devices, "languages": audience.languages, "segments": audience.segments}
    return _compared(
        Effect(
            since=begin,
            until=max(begin, end),
            holdout=spec.holdout,
            got=groups[False],
            held_out=groups[True],
            split_p=sample_ratio_p([groups[False].users, groups[True].users], [1 - spec.holdout, spec.holdout]),
            diluted_by=[name for name, values in limits.items() if values],
        )
    )


def _compared(effect: Effect) -> Effect:
    """Fill in the difference, or why there is none: too few users, or a split that cannot be believed."""
    control, treatment = (
        Sample.of_proportion(group.users, group.with_click) for group in (effect.held_out, effect.got)
    )
    least = min(control.n, treatment.n)
    if not effect.split_is_sound:
        effect.obstacle = (
            f"The groups are not of the sizes that the holdout gives (p = {effect.split_p:.2g}), so they cannot be "
            "compared: the rule may keep a row from being shown at all."
        )
    elif least < MINIMUM_USERS:
        effect.obstacle = f"Not enough users yet: {least} in the smaller group, and {MINIMUM_USERS} are needed."
    else:
        found = two_proportions(control, treatment)
        effect.obstacle = found.message
        effect.difference, effect.low, effect.high = found.estimate, found.low, found.high
    return effect


def serving_since(spec: RuleSpec) -> datetime | None:
    """Return from when on the rule has served without a change or a break; None when it does not serve."""
    since = None
    for served in ServedRules.objects.select_related("version")[:VERSIONS_READ]:
        if served.version is None or spec not in versions.specs_of(served.version):
            break
        since = served.since
    return since


def measure_due() -> int:
    """Measure the rules with a holdout that serve and were not measured lately; return how many."""
    measured = 0
    for spec in versions.published():
        if not spec.holdout:
            continue
        now = timezone.now()
        held = RuleEffect.objects.filter(rule_key=spec.pk).first()
        since = serving_since(spec)
        if since is None:
            continue
        fresh = held is not None and held.measured_at is not None and now - held.measured_at < MEASURED_EVERY
        if held is not None and held.since == since and fresh:
            continue
        result = msgspec.to_builtins(measure(spec, since, now), builtin_types=())
        RuleEffect.objects.update_or_create(
            rule_key=spec.pk, defaults={"since": since, "measured_at": now, "result": result}
        )
        measured += 1
    return measured


def of_rule(rule_key: int) -> Effect | None:
    """Return what was measured last of a rule (one query), None when nothing was."""
    held = RuleEffect.objects.filter(rule_key=rule_key).first()
    return None if held is None or not held.result else msgspec.convert(held.result, Effect)


def _moments(seconds: float | None) -> list[datetime]:
    return [] if seconds is None else [datetime.fromtimestamp(seconds, UTC)]


def _hours(schedule: Schedule) -> Hours | None:
    if not schedule.has_hours:
        return None
    return Hours(
        opens=schedule.opens or 0,
        closes=MINUTES_A_DAY if schedule.closes is None else schedule.closes,
        weekdays=schedule.weekdays,
        time_zone=schedule.time_zone,
    )
