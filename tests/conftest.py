"""Fixtures of all tests: real Postgres and Valkey, an own Redis prefix that is emptied after each test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from django.conf import settings as django_settings

from catalog.redis_store import client
from recsite import local_services


def pytest_configure(config: pytest.Config) -> None:
    """Hold the local servers up for as long as the tests run."""
    stack = ExitStack()
    try:
        stack.enter_context(local_services.running())
    except local_services.LocalServiceError as error:
        pytest.exit(str(error), returncode=1)
    config.add_cleanup(stack.close)


@pytest.fixture(autouse=True)
def redis_prefix(settings: django_settings) -> Iterator[str]:
    """Give each test keys of its own and remove them afterwards."""
    settings.REDIS_KEY_PREFIX = f"test:{settings.DATABASES['default']['TEST']['NAME']}"
    yield settings.REDIS_KEY_PREFIX
    keys = list(client().scan_iter(f"{settings.REDIS_KEY_PREFIX}:*"))
    if keys:
        client().delete(*keys)
