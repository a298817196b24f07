"""What rebuilds leave behind: versions, the active pointer, jobs and who asked for them."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from catalog.announcing import AnnouncingModel


class ModelVersion(models.Model):
    """One rebuild's result: an immutable directory with a manifest, and what was measured of it."""

    class State(models.TextChoices):
        READY = "ready", "ready"
        REFUSED = "refused", "refused by the gate"
        RETIRED = "retired", "files removed"

    name = models.CharField(max_length=50, unique=True)
    state = models.CharField(max_length=10, choices=State)
    directory = models.CharField(max_length=500, help_text="Below RECOMMENDER_MODEL_DIRECTORY.")
    manifest_sha256 = models.CharField(max_length=64)
    metrics = models.JSONField(default=dict)
    gate_reasons = models.JSONField(default=list)
    items = models.PositiveIntegerField(default=0)
    users = models.PositiveIntegerField(default=0)
    interactions = models.BigIntegerField(default=0)
    seconds = models.FloatField(default=0.0, help_text="Duration of the rebuild.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return self.name


class ActiveModel(AnnouncingModel):
    """The pointer: the one row that says which version serves. Publishing and rolling back move it."""

    alias = models.CharField(max_length=20, primary_key=True, default="default")
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    previous = models.ForeignKey(
        ModelVersion,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="What served before the last publication; a roll-back goes there.",
    )
    published_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.alias} → {self.version}"


class RebuildJob(models.Model):
    """One rebuild, with the lease that keeps two from publishing.

    `fencing_token` rises with every claim; publishing refuses a token that is no longer the newest.
    """

    class State(models.TextChoices):
        RUNNING = "running", "running"
        DONE = "done", "done"
        FAILED = "failed", "failed"

    fencing_token = models.BigAutoField(primary_key=True)
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    reason = models.CharField(max_length=200, blank=True, default="")
    stage = models.CharField(max_length=50, blank=True, default="")
    stages = models.JSONField(
        default=list,
        blank=True,
        help_text='The stages so far: {"stage", "at": seconds after the start, "memory": peak in bytes until then}.',
    )
    attempt = models.PositiveSmallIntegerField(default=1)
    leased_until = models.DateTimeField()
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, default="")
    version = models.ForeignKey(ModelVersion, null=True, blank=True, on_delete=models.SET_NULL, related_name="jobs")

    class Meta:
        ordering: ClassVar = ["-fencing_token"]
        permissions: ClassVar = [("rebuild_models", "Can ask for a rebuild")]

    def __str__(self) -> str:
        return f"rebuild {self.fencing_token}"


class RebuildRequest(models.Model):
    """Somebody wants a rebuild; whoever claims the lease next does it (`registry.jobs.claim`)."""

    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    publishes = models.BooleanField(default=True, help_text="No: what passes the gate is held back, to be tried first.")
    job = models.ForeignKey(
        RebuildJob, null=True, on_delete=models.CASCADE, related_name="+", help_text="Empty: nobody has begun yet."
    )

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["id"], name="rebuilds_waited_for", condition=models.Q(job=None))]

    def __str__(self) -> str:
        return f"rebuild asked for at {self.asked_at:%F %T}"
