"""Who did what with which item, and what was shown. Events and impressions are append-only."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from catalog.announcing import AnnouncingModel


class UserProfile(models.Model):
    """A person as the recommender knows him: an external id, which may be linked to a site account."""

    class Consent(models.TextChoices):
        GRANTED = "granted", "granted"
        WITHHELD = "withheld", "withheld"

    user_id = models.CharField(max_length=200, unique=True, help_text="The site's own id, as the API uses it.")
    account = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="recommender_profile"
    )
    country = models.CharField(max_length=2, blank=True, default="")
    preferences = models.JSONField(default=dict, blank=True)
    consent = models.CharField(max_length=10, choices=Consent, default=Consent.GRANTED)
    consent_at = models.DateTimeField(null=True, blank=True, help_text="When he last said so; empty: never asked.")
    consent_version = models.CharField(
        max_length=50, blank=True, default="", db_default="", help_text="Of the text he was shown."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.user_id


class EventType(AnnouncingModel):
    """A kind of event. Editors may change its weight; code never names one except the defaults."""

    name = models.SlugField(max_length=50, unique=True)
    weight = models.FloatField(default=1.0, help_text="Training weight; 0 is ignored, negative means dislike.")
    liked_from = models.FloatField(
        null=True, blank=True, help_text="An event with a lower value counts a fifth: taken, but not liked."
    )
    half_life_days = models.FloatField(null=True, blank=True, help_text="Empty: does not fade with time.")
    marks_seen = models.BooleanField(default=True, help_text="The item is not recommended to this user again.")

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Event(models.Model):
    """One thing a user did. The table is partitioned by `occurred_at` (see `interactions.partitions`).

    `event_id` alone identifies an event (`EventKey` guards it); the database's key is (event_id, occurred_at),
    because a partitioned table's key must hold the partition column.
    """

    event_id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    occurred_at = models.DateTimeField(help_text="When it happened, by the event's own clock (UTC).")
    user = models.ForeignKey(UserProfile, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    item = models.ForeignKey("catalog.Item", on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    event_type = models.ForeignKey(EventType, on_delete=models.PROTECT, db_constraint=False, related_name="+")
    value = models.FloatField(null=True)
    context = models.JSONField(null=True)
    request_id = models.UUIDField(null=True, help_text="The recommendation request that led to it.")
    received_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "interactions_event"
        ordering: ClassVar = ["-occurred_at"]

    def __str__(self) -> str:
        return str(self.event_id)


class EventKey(models.Model):
    """Ids given by clients, kept to refuse a second event under the same id (at least 30 days)."""

    event_id = models.UUIDField(primary_key=True)
    fingerprint = models.UUIDField(help_text="MD5 of the event's content: tells a duplicate from a conflict.")
    received_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.event_id)


class Impression(models.Model):
    """One item shown at one position of one answer. Partitioned by `shown_at`."""

    impression_id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    shown_at = models.DateTimeField()
    request_id = models.UUIDField()
    user_id_text = models.CharField(max_length=200, db_column="user_id", help_text="External user id.")
    item = models.ForeignKey("catalog.Item", on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    placement = models.CharField(max_length=100)
    position = models.PositiveSmallIntegerField(help_text="0 is first.")
    source = models.CharField(max_length=50, help_text="The source that contributed most, or the rule.")
    model_version = models.CharField(max_length=50)
    rules_version = models.BigIntegerField()
    experiment_id = models.CharField(max_length=100, blank=True, default="")
    phase = models.PositiveIntegerField(null=True)
    variant = models.CharField(max_length=100, blank=True, default="")
    propensity = models.FloatField(default=1.0, help_text="Probability with which the policy showed it here.")
    device = models.CharField(max_length=20, blank=True, default="", help_text="Empty: not known.")
    app_version = models.CharField(max_length=20, blank=True, default="", help_text="Empty: not known.")
    presentation = models.BigIntegerField(
        null=True, help_text="Key of the title and picture of several; 0: the item's own. Empty: it has but its own."
    )
    presentation_propensity = models.FloatField(null=True, help_text="Probability with which these were shown.")

    class Meta:
        managed = False
        db_table = "interactions_impression"
        ordering: ClassVar = ["-shown_at"]

    def __str__(self) -> str:
        return str(self.impression_id)


class DeadLetter(models.Model):
    """An event that was refused, why, and its text, so that it can be replayed."""

    code = models.CharField(max_length=50, db_index=True)
    message = models.CharField(max_length=500)
    item_id = models.CharField(max_length=200, blank=True, default="", db_index=True)
    payload = models.TextField(help_text="The event as JSON, ASCII-escaped.")
    source = models.CharField(max_length=50, default="api")
    received_at = models.DateTimeField(auto_now_add=True, db_index=True)
    replayed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-received_at"]

    def __str__(self) -> str:
        return f"{self.code} {self.received_at:%F %T}"


class StaleHistory(models.Model):
    """A user whose history in Redis must be dropped: Redis could not be told when it changed (`stale_histories`)."""

    user_id = models.CharField(max_length=200, primary_key=True)
    noted_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.user_id


class ItemScore(models.Model):
    """What an item's settled events add up to, in one country or everywhere (`item_scores`)."""

    pk = models.CompositePrimaryKey("item_id", "country")
    item = models.ForeignKey(
        "catalog.Item", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    country = models.CharField(max_length=2, help_text="Two letters; empty: everywhere.")
    popularity = models.FloatField(help_text="Users, forward-decayed from the landmark; 0 by country.")
    trending = models.FloatField(help_text="The same with the shorter half-life.")

    def __str__(self) -> str:
        return f"{self.item_id} {self.country}"


class ScoreCount(models.Model):
    """How far `item_scores` has counted: one row, or none before the first time."""

    received_until = models.DateTimeField(help_text="Events received before this are in ItemScore.")
    landmark = models.DateTimeField(help_text="An event of this moment weighs what its type says.")
    newest_at = models.DateTimeField(help_text="When the newest event happened.")
    definition = models.TextField(help_text="Weights and half-lives it was counted with.")
    counted_at = models.DateTimeField(help_text="When everything was counted last.")
    count_seconds = models.FloatField(help_text="How long that took.")

    def __str__(self) -> str:
        return f"until {self.received_until:%F %T}"


class OwedCount(models.Model):
    """Events were changed or removed, so that everything must be counted again; written by triggers."""

    noted_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.noted_at:%F %T}"


class DailyFigure(models.Model):
    """What one day's impressions of one placement, or of all, came to (`daily_figures`)."""

    pk = models.CompositePrimaryKey("day", "placement")
    day = models.DateField(help_text="In UTC.")
    placement = models.CharField(max_length=100, help_text="Empty: all of them.")
    counted_at = models.DateTimeField()
    impressions = models.BigIntegerField()
    clicked = models.BigIntegerField()
    by_rule = models.BigIntegerField()
    of_new_items = models.BigIntegerField()
    items = models.BigIntegerField(help_text="Different ones.")
    items_in_week = models.BigIntegerField(null=True)
    catalogue = models.BigIntegerField(null=True)
    events = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return f"{self.day} {self.placement}"
