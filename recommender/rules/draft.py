"""The rules as editors have them now: the `Rule` rows, read as data and written back from data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time

from django.db import transaction

from catalog.queries import item_ids_by_pk
from recommender.models import Placement, Rule, RuleClause, RuleItem
from recommender.rules.schedule import Schedule
from recommender.rules.vocabulary import Action, Audience, Clause, Operator, RuleSpec


def read() -> list[RuleSpec]:
    """Return the rules that are switched on, by key (four queries)."""
    rules = Rule.objects.filter(is_active=True).order_by("pk").prefetch_related("picked", "clauses", "placements")
    return [spec_of(rule) for rule in rules]


def spec_of(rule: Rule) -> RuleSpec:
    """Return one stored rule as data."""
    return spec_from(
        rule,
        items=[picked.item_id for picked in rule.picked.all()],
        clauses=list(rule.clauses.all()),
        placements=[placement.name for placement in rule.placements.all()],
    )


def spec_from(
    rule: Rule, *, items: Sequence[int], clauses: Sequence[RuleClause], placements: Sequence[str]
) -> RuleSpec:
    """Return a rule as data that need not be stored yet, with what hangs on it."""
    return RuleSpec(
        pk=rule.pk or 0,
        action=Action(rule.action),
        name=rule.name,
        priority=rule.priority,
        items=tuple(items),
        where=tuple(Clause(clause.field, Operator(clause.operator), tuple(clause.values)) for clause in clauses),
        position=rule.position or 0,
        multiplier=rule.multiplier,
        slots=rule.slots or 0,
        share=(rule.share_percent or 0) / 100,
        attribute=rule.attribute,
        at_most=rule.at_most or 0,
        window=rule.window or 0,
        audience=Audience(
            placements=tuple(sorted(placements)),
            countries=tuple(country.upper() for country in rule.countries),
            languages=tuple(rule.languages),
            devices=tuple(rule.devices),
            segments=tuple(rule.segments),
        ),
        schedule=Schedule(
            since=rule.active_from.timestamp() if rule.active_from else None,
            until=rule.active_until.timestamp() if rule.active_until else None,
            weekdays=tuple(sorted(rule.weekdays)),
            opens=_minute(rule.opens),
            closes=_minute(rule.closes),
            time_zone=rule.time_zone,
        ),
        holdout=rule.holdout_percent / 100,
    )


def write(specs: Sequence[RuleSpec]) -> None:
    """Make the draft these rules and no others, in one transaction; items and placements that are gone are left out."""
    with transaction.atomic():
        Rule.objects.exclude(pk__in=[spec.pk for spec in specs]).delete()
        RuleItem.objects.all().delete()
        RuleClause.objects.all().delete()
        placements = dict(Placement.objects.values_list("name", "pk"))
        there = item_ids_by_pk({pk for spec in specs for pk in spec.items})
        for spec in specs:
            rule, _ = Rule.objects.update_or_create(pk=spec.pk, defaults=_columns(spec))
            rule.placements.set([placements[name] for name in spec.audience.placements if name in placements])
            RuleItem.objects.bulk_create(
                RuleItem(rule=rule, item_id=pk, order=order) for order, pk in enumerate(spec.items) if pk in there
            )
            RuleClause.objects.bulk_create(
                RuleClause(rule=rule, field=clause.field, operator=clause.operator, values=list(clause.values))
                for clause in spec.where
            )


def _columns(spec: RuleSpec) -> dict[str, object]:
    audience, schedule = spec.audience, spec.schedule
    return {
        "name": spec.name,
        "action": spec.action.value,
        "is_active": True,
        "priority": spec.priority,
        "position": spec.position or None,
        "multiplier": spec.multiplier,
        "slots": spec.slots or None,
        "share_percent": round(spec.share * 100, 6) or None,
        "attribute": spec.attribute,
        "at_most": spec.at_most or None,
        "window": spec.window or None,
        "countries": list(audience.countries),
        "languages": list(audience.languages),
        "devices": list(audience.devices),
        "segments": list(audience.segments),
        "active_from": _moment(schedule.since),
        "active_until": _moment(schedule.until),
        "weekdays": list(schedule.weekdays),
        "opens": _time(schedule.opens),
        "closes": _time(schedule.closes),
        "time_zone": schedule.time_zone,
        "holdout_percent": round(spec.holdout * 100, 6),
    }


def _minute(moment: time | None) -> int | None:
    return None if moment is None else moment.hour * 60 + moment.minute


def _time(minute: int | None) -> time | None:
    return None if minute is None else time(minute // 60, minute % 60)


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
