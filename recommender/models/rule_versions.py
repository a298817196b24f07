"""Rules as they were submitted and served, and what was measured of them."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from catalog.announcing import AnnouncingModel
from catalog.waiting_jobs import WaitingJob


class RuleSetVersion(models.Model):
    """All rules at one moment, as data; never changed afterwards."""

    class State(models.TextChoices):
        SUBMITTED = "submitted", "waits for a review"
        REJECTED = "rejected", "rejected"
        PUBLISHED = "published", "has been published"

    rules = models.JSONField(help_text="A list of `rules.vocabulary.RuleSpec`.")
    state = models.CharField(max_length=10, choices=State, default=State.SUBMITTED)
    note = models.TextField(blank=True, default="", help_text="Why.")
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    submitted_at = models.DateTimeField(default=timezone.now)
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    review = models.TextField(blank=True, default="")
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    published_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        permissions: ClassVar = [("publish_rules", "Can publish rules and roll them back")]

    def __str__(self) -> str:
        return f"rules {self.pk}"


class ActiveRules(AnnouncingModel):
    """The pointer: the one row that says which rules serve."""

    alias = models.CharField(max_length=20, primary_key=True, default="default")
    version = models.ForeignKey(RuleSetVersion, null=True, on_delete=models.PROTECT, related_name="+")
    previous = models.ForeignKey(RuleSetVersion, null=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return f"{self.alias} → {self.version}"


class ServedRules(models.Model):
    """From when on which rules served: one row a publication or roll-back, never changed."""

    version = models.ForeignKey(RuleSetVersion, null=True, on_delete=models.PROTECT, related_name="served")
    since = models.DateTimeField(default=timezone.now, db_index=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.version or 'no rules'} since {self.since:%F %T}"


class RuleEffect(models.Model):
    """What the users that a rule keeps out show of it (`rule_effects`): the newest measurement of each rule."""

    rule_key = models.PositiveBigIntegerField(primary_key=True, help_text="Of the rule; it may be gone from the draft.")
    since = models.DateTimeField(help_text="From when on it has served unchanged.")
    measured_at = models.DateTimeField(null=True, help_text="Empty: to be measured anew.")
    result = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"effect of rule {self.rule_key}"


class RuleImpact(WaitingJob):
    """What a draft would change, measured in the background (`impact`); a row is the job as well."""

    rules = models.JSONField(help_text="A list of `rules.vocabulary.RuleSpec`.")

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"impact {self.pk}"
