"""What editors steer (placements, rules) and what rebuilds leave behind (versions, the active pointer, jobs)."""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from catalog.announcing import AnnouncingModel


class Placement(AnnouncingModel):
    """A place of the site where a carousel stands."""

    name = models.SlugField(max_length=100, unique=True, help_text="The API's `context`.")
    page = models.SlugField(max_length=100, default="home", help_text="Carousels of one page repeat no item.")
    position = models.PositiveSmallIntegerField(default=0, help_text="Order on the page.")
    recipe = models.CharField(max_length=100, help_text="A key of RECOMMENDER_RECIPES.")
    title = models.CharField(max_length=200, help_text="{seed} stands for the seed's title.")
    limit = models.PositiveSmallIntegerField(default=20, validators=[MinValueValidator(1), MaxValueValidator(100)])
    minimum = models.PositiveSmallIntegerField(default=4, help_text="Fewer items: the row is not shown.")
    diversity = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text="0: only the best-scored items. 1: nothing but variety. Empty: as the recipe has it.",
    )
    explores = models.BooleanField(
        default=True, help_text="One slot of a personalised list goes to an item that hardly anybody has been shown."
    )
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar = ["page", "position", "name"]

    def __str__(self) -> str:
        return self.name


class Rule(AnnouncingModel):
    """One thing an editor wants: pin an item to a slot, boost or bury some, hide some."""

    class Action(models.TextChoices):
        PIN = "pin", "pin to a position"
        BOOST = "boost", "boost"
        BURY = "bury", "bury"
        HIDE = "hide", "hide"

    name = models.CharField(max_length=200)
    action = models.CharField(max_length=10, choices=Action)
    placement = models.ForeignKey(Placement, null=True, blank=True, on_delete=models.CASCADE, help_text="Empty: all.")
    item = models.ForeignKey("catalog.Item", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    category = models.CharField(max_length=100, blank=True, default="")
    tag = models.CharField(max_length=100, blank=True, default="")
    position = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Pins only; 1 is first.")
    multiplier = models.FloatField(
        default=1.0,
        validators=[MinValueValidator(0.01), MaxValueValidator(100)],
        help_text="Boost: above 1. Bury: below 1.",
    )
    priority = models.IntegerField(default=0, help_text="The higher wins where two pins want one slot.")
    active_from = models.DateTimeField(null=True, blank=True)
    active_until = models.DateTimeField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["-priority", "id"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a rule that could do nothing, or something else than it says."""
        errors: dict[str, str] = {}
        if not (self.item_id or self.category or self.tag):
            errors["item"] = "Choose an item, a category or a tag."
        if self.action == self.Action.PIN:
            if not self.item_id:
                errors["item"] = "A pin needs an item."
            if not self.position:
                errors["position"] = "A pin needs a position (1 is first)."
        if self.action == self.Action.BOOST and self.multiplier <= 1:
            errors["multiplier"] = "A boost needs a multiplier above 1."
        if self.action == self.Action.BURY and self.multiplier >= 1:
            errors["multiplier"] = "A bury needs a multiplier below 1."
        if self.active_from and self.active_until and self.active_from >= self.active_until:
            errors["active_until"] = "The end must come after the start."
        if errors:
            raise ValidationError(errors)


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

    def __str__(self) -> str:
        return f"rebuild {self.fencing_token}"
