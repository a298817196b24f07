"""What editors are writing: the draft of the rules."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from recommender.models.placements import Placement
from recommender.rules import vocabulary


class Rule(models.Model):
    """One thing an editor wants, as he is writing it: it serves nobody until it is published (`rules.versions`)."""

    class Action(models.TextChoices):
        PIN = vocabulary.Action.PIN.value, "pin to a position"
        SOFT_PIN = vocabulary.Action.SOFT_PIN.value, "pin to a position or before it"
        PROMOTE = vocabulary.Action.PROMOTE.value, "promote: give it places of the list"
        BOOST = vocabulary.Action.BOOST.value, "boost"
        BURY = vocabulary.Action.BURY.value, "bury"
        HIDE = vocabulary.Action.HIDE.value, "hide"
        EXCLUDE = vocabulary.Action.EXCLUDE.value, "exclude, unless pinned or promoted"
        INCLUDE_ONLY = vocabulary.Action.INCLUDE_ONLY.value, "include only"
        CAP = vocabulary.Action.CAP.value, "cap: at most so many of one value"
        SAME_AS_SEED = vocabulary.Action.SAME_AS_SEED.value, "only what shares a value with the item looked at"
        DIFFERENT_FROM_SEED = (
            vocabulary.Action.DIFFERENT_FROM_SEED.value,
            "only what shares none with it",
        )
        ORGANIC_SHARE = vocabulary.Action.ORGANIC_SHARE.value, "keep a share of the list for scores alone"
        FATIGUE = vocabulary.Action.FATIGUE.value, "fatigue: not again after so many times shown without a click"

    name = models.CharField(max_length=200)
    action = models.CharField(max_length=20, choices=Action)
    is_active = models.BooleanField(default=True, help_text="Off: not in the next version.")
    priority = models.IntegerField(default=0, help_text="The higher wins; of equals the older rule.")
    position = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Pins; 1 is first.")
    multiplier = models.FloatField(default=1.0, help_text="Boost: above 1. Bury: below 1.")
    slots = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Promote: so many places of a list.")
    share_percent = models.FloatField(
        null=True, blank=True, help_text="Promote, or keep for scores: so much of a list, 0 to 100."
    )
    attribute = models.CharField(
        max_length=100, blank=True, default="", help_text="category, tag, creator, country, language or attribute.NAME."
    )
    at_most = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="Cap: at most so many of one value … Fatigue: not again after so many times …",
    )
    window = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="Cap: … in so many places in a row. Fatigue: … in so many days, if nothing was done with it since.",
    )
    placements = models.ManyToManyField(Placement, blank=True, help_text="Empty: all.")
    countries = ArrayField(
        models.CharField(max_length=2), default=list, blank=True, help_text="Two letters. Empty: all."
    )
    languages = ArrayField(models.CharField(max_length=16), default=list, blank=True, help_text="Empty: all.")
    devices = ArrayField(models.CharField(max_length=20), default=list, blank=True, help_text="Empty: all.")
    segments = ArrayField(models.CharField(max_length=50), default=list, blank=True, help_text="Empty: everybody.")
    active_from = models.DateTimeField(null=True, blank=True)
    active_until = models.DateTimeField(null=True, blank=True)
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(), default=list, blank=True, help_text="1 Monday … 7 Sunday."
    )
    opens = models.TimeField(null=True, blank=True, help_text="From this time of day …")
    closes = models.TimeField(null=True, blank=True, help_text="… to this one; an earlier one is on the next day.")
    time_zone = models.CharField(max_length=50, default="UTC", help_text="Of weekdays and hours: Europe/Paris.")
    holdout_percent = models.FloatField(
        default=0.0, help_text="So many users in a hundred do not get it, so that what it does can be measured."
    )
    note = models.TextField(blank=True, default="")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["-priority", "id"]

    def __str__(self) -> str:
        return self.name


class RuleItem(models.Model):
    """An item that a rule names."""

    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="picked")
    item = models.ForeignKey("catalog.Item", on_delete=models.CASCADE, related_name="+")
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["order", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["rule", "item"], name="an_item_once_a_rule")]

    def __str__(self) -> str:
        return str(self.item)


class RuleClause(models.Model):
    """A condition on the items of a rule; all must hold."""

    class Operator(models.TextChoices):
        IS = vocabulary.Operator.IS.value, "is"
        IS_NOT = vocabulary.Operator.IS_NOT.value, "is not"
        CONTAINS = vocabulary.Operator.CONTAINS.value, "contains"
        AT_LEAST = vocabulary.Operator.AT_LEAST.value, "is at least"
        AT_MOST = vocabulary.Operator.AT_MOST.value, "is at most"

    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="clauses")
    field = models.CharField(
        max_length=100, help_text="category, tag, creator, country, language, title, year, age_days, …"
    )
    operator = models.CharField(max_length=10, choices=Operator, default=Operator.IS)
    values = ArrayField(models.CharField(max_length=500), help_text="Any of these, separated by commas.")

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.field} {self.get_operator_display()} {', '.join(self.values)}"
