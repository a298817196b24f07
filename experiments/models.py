"""Experiments: which share of users gets which recipe, and what counts as success."""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from catalog.announcing import AnnouncingModel
from catalog.waiting_jobs import WaitingJob
from experiments import configurations
from experiments.assignment import INTERLEAVED


class Metric(models.Model):
    """What is measured: a share of the exposed users, events a user, or one kind of event for another."""

    class Kind(models.TextChoices):
        PROPORTION = "proportion", "share of users with at least one event"
        MEAN = "mean", "events (or summed values) a user"
        RATIO = "ratio", "events (or summed values) for each event of another type"

    name = models.SlugField(max_length=50, unique=True)
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.PROPORTION)
    event_type = models.CharField(max_length=50, help_text="Name of the event type that is counted.")
    per_event_type = models.CharField(
        max_length=50, blank=True, default="", help_text="For a ratio: the event type that it is divided by."
    )
    attributed_only = models.BooleanField(default=True, help_text="Only events that carry the request's id.")
    higher_is_better = models.BooleanField(default=True, help_text="Off for what one wants less of.")

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Experiment(AnnouncingModel):
    """A randomised comparison of two or more variants in one placement (or all)."""

    class Status(models.TextChoices):
        DRAFT = "draft", "draft"
        RUNNING = "running", "running"
        STOPPED = "stopped", "stopped"

    class Kind(models.TextChoices):
        SPLIT = "split", "A/B: each user gets one variant"
        INTERLEAVING = "interleaving", "interleaving: each list mixes all variants, and clicks choose"

    class Correction(models.TextChoices):
        HOLM = "holm", "Holm: hardly any false finding among all metrics"
        FALSE_SHARE = "bh", "Benjamini-Hochberg: few false ones among the findings"

    experiment_id = models.SlugField(max_length=100, unique=True, help_text="Also the seed of the hash.")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.SPLIT)
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    phase = models.PositiveIntegerField(default=1, editable=False, help_text="Raised when weights change.")
    placement = models.CharField(
        max_length=300, blank=True, default="", help_text="One, or several separated by commas; empty: every placement."
    )
    countries = models.CharField(
        max_length=300, blank=True, default="", help_text="Two letters each, separated by commas; empty: all."
    )
    segments = models.CharField(
        max_length=100, blank=True, default="", help_text="Such as new, returning, regular; empty: all."
    )
    layer = models.SlugField(
        max_length=100,
        blank=True,
        default="",
        help_text="Experiments of one layer share its users out: nobody is in two of them. Empty: no layer.",
    )
    layer_start = models.FloatField(default=0.0, validators=[MinValueValidator(0), MaxValueValidator(1)])
    layer_end = models.FloatField(
        default=1.0,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text="The share of the layer it takes, as 0.25 to 0.5.",
    )
    sticky = models.BooleanField(
        default=False,
        help_text="Other weights move as few users as can be; without, everybody is drawn afresh.",
    )
    coverage = models.FloatField(
        default=1.0, validators=[MinValueValidator(0), MaxValueValidator(1)], help_text="Share of users taking part."
    )
    primary_metric = models.ForeignKey(Metric, on_delete=models.PROTECT, related_name="primary_of")
    guardrails = models.ManyToManyField(Metric, blank=True, related_name="guardrail_of")
    alpha = models.FloatField(default=0.05, validators=[MinValueValidator(0.0001), MaxValueValidator(0.5)])
    planned_users = models.PositiveIntegerField(
        null=True, blank=True, help_text="Users a variant needs by the power calculation; empty: no fixed plan."
    )
    minimum_effect = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0.0001)],
        help_text="Smallest relative change of the primary metric worth finding: 0.05 is 5 %.",
    )
    correction = models.CharField(max_length=10, choices=Correction, default=Correction.HOLM)
    lookback_days = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="Take out of each metric what users did in so many days before (CUPED); empty: no.",
    )
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    stopped_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return self.name


class Variant(AnnouncingModel):
    """One arm. Its configuration overrides the placement's; empty is the control."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="variants")
    name = models.SlugField(max_length=100)
    weight = models.FloatField(default=1.0, validators=[MinValueValidator(0)])
    position = models.PositiveSmallIntegerField(default=0, help_text="Order of the arms; the first is the control.")
    configuration = models.JSONField(
        default=dict,
        blank=True,
        help_text='What it sets instead of the placement: {"recipe": "trending"}, {"diversity": 0.5}, '
        '{"weights": {"popular": 2}}, {"model_version": "v7"}, {"search_effort": 2}, {"rules": false} or '
        '{"nothing": true}. '
        "Empty: the placement as it is.",
    )

    class Meta:
        ordering: ClassVar = ["position", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["experiment", "name"], name="variant_name_once")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a name that stands for something else, and a configuration that could not be applied."""
        if self.name == INTERLEAVED:
            raise ValidationError({"name": f"{INTERLEAVED!r} is what a mixed list is called."})
        found = configurations.problems(self.configuration)
        if found:
            raise ValidationError({"configuration": found})


class Phase(models.Model):
    """What an experiment was while its assignment stood still. `lifecycle` writes it; nobody edits it."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="phases")
    number = models.PositiveIntegerField()
    weights = models.JSONField(help_text="[[variant, weight], …] in order; the first is the control.")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["experiment", "number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["experiment", "number"], name="phase_number_once")]

    def __str__(self) -> str:
        return f"phase {self.number}"


class Exposure(models.Model):
    """The first time a unit was served a variant in a phase. Later ones are not stored."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="exposures")
    phase = models.PositiveIntegerField()
    unit = models.CharField(max_length=200, help_text="External user id.")
    variant = models.CharField(max_length=100)
    exposed_at = models.DateTimeField()
    device = models.CharField(max_length=20, blank=True, default="", db_default="", help_text="Empty: not known.")
    app_version = models.CharField(max_length=20, blank=True, default="", db_default="", help_text="Empty: not known.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["experiment", "phase", "unit", "variant"], name="first_exposure"),
        ]
        indexes: ClassVar = [models.Index(fields=["unit"], name="exposure_unit")]

    def __str__(self) -> str:
        return f"{self.unit} in {self.variant}"


class Forecast(WaitingJob):
    """What the variants of a draft would earn (`forecasts`); a row is the job as well."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="forecasts")
    asked = models.JSONField(help_text="`forecasts.Asked`: what was declared when it was asked for.")

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"forecast {self.pk}"
