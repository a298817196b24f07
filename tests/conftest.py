"""Fixtures of all tests: real Postgres and Valkey, an own Redis prefix that is emptied after each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings as django_settings

from catalog.redis_store import client


@pytest.fixture(autouse=True)
def redis_prefix(settings: django_settings) -> Iterator[str]:
    """Give each test keys of its own and remove them afterwards."""
    settings.REDIS_KEY_PREFIX = f"test:{settings.DATABASES['default']['TEST']['NAME']}"
    yield settings.REDIS_KEY_PREFIX
    keys = list(client().scan_iter(f"{settings.REDIS_KEY_PREFIX}:*"))
    if keys:
        client().delete(*keys)
