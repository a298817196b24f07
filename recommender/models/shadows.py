"""Versions that are tried beside the one that serves."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils import timezone

from catalog.announcing import AnnouncingModel
from recommender.models.versions import ModelVersion


class Shadow(AnnouncingModel):
    """A version that is tried beside the one that serves (`shadowing`): a row a trial, at most one of them running."""

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="shadows")
    percent = models.PositiveSmallIntegerField(
        validators=[MaxValueValidator(100)], help_text="So many users in a hundred; always the same ones."
    )
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    started_at = models.DateTimeField(default=timezone.now)
    stopped_at = models.DateTimeField(null=True, blank=True, help_text="Empty: it runs.")
    dropped = models.BigIntegerField(default=0, help_text="Lists not compared: too many waited.")
    failed = models.BigIntegerField(default=0, help_text="Lists that could not be made.")
    error = models.TextField(blank=True, default="", help_text="Why the last one could not.")
    failed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["stopped_at"], condition=models.Q(stopped_at=None), nulls_distinct=False, name="one_shadow"
            )
        ]

    def __str__(self) -> str:
        return f"{self.version} for {self.percent} %"


class ShadowList(models.Model):
    """A list as it was shown and as the shadow would have made it; kept for a few days (`shadowing.lists`)."""

    shadow = models.ForeignKey(Shadow, on_delete=models.CASCADE, related_name="lists", db_index=False)
    request_id = models.UUIDField()
    user_id = models.CharField(max_length=200, db_index=True, help_text="External user id.")
    placement = models.CharField(max_length=100)
    shown_at = models.DateTimeField(db_index=True)
    live_items = ArrayField(models.BigIntegerField(), help_text="Primary keys, best first.")
    shadow_items = ArrayField(models.BigIntegerField())
    overlap = models.FloatField(help_text="Of the first ten, 0 to 1.")
    rank_biased_overlap = models.FloatField()
    live_fallback = models.BooleanField()
    shadow_fallback = models.BooleanField()
    live_ms = models.FloatField(help_text="Milliseconds it took to make.")
    shadow_ms = models.FloatField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["shadow", "-id"], name="lists_of_a_shadow")]

    def __str__(self) -> str:
        return str(self.request_id)
