"""API keys. Only a hash is stored; the key itself is shown once."""

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
    sha256 = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope))
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
