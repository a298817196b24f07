"""What editors do to many rules of the draft at once."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextInputWidget

from recommender.models import Rule, RuleClause, RuleItem

MOST_DAYS = 3_650
COPY = " (copy)"


class ShiftForm(forms.Form):
    """By how many days."""

    days = forms.IntegerField(
        min_value=-MOST_DAYS,
        max_value=MOST_DAYS,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "number"}),
        help_text="7 is a week later, -7 a week earlier. A rule without dates stays as it is.",
    )


def switch_on(rules: QuerySet[Rule]) -> str:
    """Take rules into the next version."""
    return f"{rules.update(is_active=True, updated_at=Now())} rules are in the next version."


def switch_off(rules: QuerySet[Rule]) -> str:
    """Leave rules out of the next version."""
    return f"{rules.update(is_active=False, updated_at=Now())} rules are not in the next version."


def shift(rules: QuerySet[Rule], days: int) -> str:
    """Move when rules begin and end.

    Raises
    ------
    ValueError
        A date would be beyond the calendar; nothing is changed.
    """
    dated = list(rules.exclude(active_from=None, active_until=None))
    by = timedelta(days=days)
    for rule in dated:
        try:
            rule.active_from = rule.active_from and rule.active_from + by
            rule.active_until = rule.active_until and rule.active_until + by
        except OverflowError:
            raise ValueError(f"The dates of {rule.name!r} would be beyond the calendar; no rule was changed.") from None
        rule.updated_at = timezone.now()
    Rule.objects.bulk_update(dated, ["active_from", "active_until", "updated_at"], batch_size=1_000)
    return f"The dates of {len(dated)} rules are {abs(days)} days {'later' if days >= 0 else 'earlier'}."


def duplicate(rules: QuerySet[Rule]) -> str:
    """Write rules once more, with all that hangs on them; the copies are switched off."""
    originals = list(rules.prefetch_related("picked", "clauses", "placements").order_by("pk"))
    longest = Rule._meta.get_field("name").max_length or 0
    values = [field.attname for field in Rule._meta.concrete_fields if not field.primary_key]
    copies = Rule.objects.bulk_create(
        Rule(
            **{name: getattr(rule, name) for name in values}
            | {"name": f"{rule.name[: longest - len(COPY)]}{COPY}", "is_active": False}
        )
        for rule in originals
    )
    pairs = list(zip(originals, copies, strict=True))
    RuleItem.objects.bulk_create(
        RuleItem(rule=copy, item_id=one.item_id, order=one.order) for rule, copy in pairs for one in rule.picked.all()
    )
    RuleClause.objects.bulk_create(
        RuleClause(rule=copy, field=one.field, operator=one.operator, values=one.values)
        for rule, copy in pairs
        for one in rule.clauses.all()
    )
    link = Rule.placements.through
    link.objects.bulk_create(
        link(rule_id=copy.pk, placement_id=one.pk) for rule, copy in pairs for one in rule.placements.all()
    )
    return f"{len(copies)} rules are written once more, switched off."
