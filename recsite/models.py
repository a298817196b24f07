"""API keys, of which only a hash is stored, and the record of who has changed what in admin."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models


class ApiKey(models.Model):
    """A credential of the HTTP API with the scopes it may use."""

    class Scope(models.TextChoices):
        READ = "read", "read recommendations"
        EVENTS = "events", "send events"
        CATALOG = "catalog", "write the catalogue"
        USERS = "users", "read, merge and erase users"

    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, unique=True, help_text="First part of the key: how it is looked up.")
    origins = ArrayField(
        models.CharField(max_length=200),
        default=list,
        blank=True,
        help_text="Of a publishable key: the web origins whose pages it may stand in, as https://www.example.org.",
    )
    published = models.CharField(
        max_length=100, blank=True, default="", editable=False, help_text="A publishable key itself: it is no secret."
    )
    sha256 = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope))
    rate = models.PositiveIntegerField(
        "requests a minute",
        null=True,
        blank=True,
        help_text="How many it may make, all processes together. Empty: what RATE_LIMITS says of its kind.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class AuditEntry(models.Model):
    """One row that somebody has changed in admin, as it was and as it is. Triggers write it; it never changes."""

    class Action(models.TextChoices):
        INSERT = "insert", "added"
        UPDATE = "update", "changed"
        DELETE = "delete", "deleted"

    at = models.DateTimeField()
    actor = models.CharField(max_length=150, help_text="Who was signed in.")
    table = models.CharField(max_length=100)
    action = models.CharField(max_length=10, choices=Action)
    row = models.CharField(max_length=100, help_text="Primary key.")
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name_plural = "audit entries"
        indexes: ClassVar = [
            models.Index(fields=["table", "row"], name="audit_of_a_row"),
            models.Index(fields=["actor"], name="audit_of_somebody"),
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.get_action_display()} {self.table} {self.row}"
