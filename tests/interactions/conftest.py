"""Fixtures of the interactions' tests: a few items, and a database whose commits are real."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.conf import settings as django_settings
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker
from redis.backoff import NoBackoff
from redis.retry import Retry

from catalog import redis_store
from catalog.models import Item
from interactions import event_types, redis_breaker
from tests.interactions.own_redis import OwnRedis

ITEMS = ("inception", "heat", "alien", "up")


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start each test with nothing held in memory and Redis trusted."""
    monkeypatch.setattr(event_types._copy, "_held", None)
    monkeypatch.setattr(redis_breaker, "breaker", redis_breaker.CircuitBreaker())


@pytest.fixture
def items(db: None) -> dict[str, int]:
    """Four items: external id → primary key."""
    return create_items()


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, int]]:
    """Four items in a database whose transactions really commit; the tables are emptied afterwards.

    Not pytest-django's transactional mode: its flush would take the event types that a migration creates.
    """
    with django_db_blocker.unblock():
        try:
            yield create_items()
        finally:
            with connection.cursor() as cursor:
                cursor.execute(
                    """
                    TRUNCATE interactions_event, interactions_impression, interactions_eventkey,
                             interactions_deadletter, interactions_stalehistory,
                             interactions_itemscore, interactions_scorecount;
                    DELETE FROM interactions_userprofile;
                    DELETE FROM catalog_item;
                    """
                )
            connection.close()


@pytest.fixture
def own_redis(settings: django_settings) -> Iterator[OwnRedis]:
    """Give the site a Redis of this test's own."""
    with tempfile.TemporaryDirectory() as folder:
        server = OwnRedis(Path(folder))
        shared, settings.REDIS_URL = settings.REDIS_URL, server.url
        redis_store.client.cache_clear()
        yield server
        settings.REDIS_URL = shared
        redis_store.client().close()
        redis_store.client.cache_clear()
        server.kill()


@pytest.fixture
def dead_redis(monkeypatch: pytest.MonkeyPatch, settings: django_settings) -> redis.Redis:
    """Point the interactions at a Redis that does not answer."""
    nobody = redis.Redis(unix_socket_path="/nonexistent/redis.sock", retry=Retry(NoBackoff(), 0))
    for module in ("interactions.redis_breaker", "catalog.revisions"):
        monkeypatch.setattr(f"{module}.client", lambda: nobody)
    return nobody


def create_items() -> dict[str, int]:
    with transaction.atomic():
        items = [Item.objects.create(item_id=item_id, title=item_id.title(), category="film") for item_id in ITEMS]
    return {item.item_id: item.pk for item in items}
