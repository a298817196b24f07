"""What editors steer (placements, rules) and what rebuilds leave behind (versions, the active pointer, jobs)."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from catalog.announcing import AnnouncingModel
from recommender.rules import vocabulary


class Placement(AnnouncingModel):
    """A place of the site where a carousel stands."""

    name = models.SlugField(
        max_length=100, unique=True, help_text="What templates and the API call it. It cannot be changed later."
    )
    title = models.CharField(
        max_length=200, help_text="Above the row. {seed} stands for the title of the item that the row is about."
    )
    recipe = models.CharField(max_length=100, help_text="How its items are found.")
    limit = models.PositiveSmallIntegerField(
        "number of items",
        default=20,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="1 to 100.",
    )
    minimum = models.PositiveSmallIntegerField(default=4, help_text="With fewer items a page does not show the row.")
    fallback = models.CharField(
        max_length=100,
        blank=True,
        default="",
        help_text="Answers when the recipe above cannot, and fills the row up when it finds fewer than the minimum. "
        "Empty: the recipe's own fallback answers when nothing is found, and nothing is filled up.",
    )
    page = models.SlugField(max_length=100, default="home", help_text="The page on which it stands.")
    position = models.PositiveSmallIntegerField(default=0, help_text="Order on the page, 0 is first.")
    dedupe_group = models.SlugField(
        "repeat no item of",
        max_length=100,
        blank=True,
        default="",
        help_text="Rows of one page with the same word here repeat none of each other's items. Empty: all rows of the "
        "page that are empty here.",
    )
    diversity = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text="0: only the best-scored items. 1: nothing but variety. Empty: as the recipe has it.",
    )
    freshness = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text="0: age does not matter. 1: an item counts half after a month. Empty: as the recipe has it.",
    )
    explores = models.BooleanField(
        default=True, help_text="One slot of a personalised list goes to an item that hardly anybody has been shown."
    )
    cache_seconds = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(86_400)],
        help_text="How long a list may be shown again to the same person while nothing changes. 0: made anew each "
        "time. Empty: as long as on other rows.",
    )
    editors = models.ManyToManyField(
        "auth.Group",
        blank=True,
        related_name="+",
        help_text="Only members of these groups may change it, and rules that are for it. None: everybody whose role "
        "allows it.",
    )
    is_active = models.BooleanField(default=True, help_text="Off: it is shown nowhere.")

    class Meta:
        ordering: ClassVar = ["page", "position", "name"]
        permissions: ClassVar = [("edit_every_placement", "Can edit placements in the hands of any group")]

    def __str__(self) -> str:
        return self.name


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


class RuleImpact(models.Model):
    """What a draft would change, measured in the background (`impact`); a row is the job as well."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        RUNNING = "running", "running"
        DONE = "done", "done"
        FAILED = "failed", "failed"

    rules = models.JSONField(help_text="A list of `rules.vocabulary.RuleSpec`.")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    done = models.PositiveIntegerField(default=0, help_text="Users looked at.")
    total = models.PositiveIntegerField(default=0)
    result = models.JSONField(default=dict, blank=True)
    error = models.TextField(blank=True, default="")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    heard_at = models.DateTimeField(null=True, help_text="Last sign of life of who measures.")

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"impact {self.pk}"


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
