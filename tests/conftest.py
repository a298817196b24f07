"""Fixtures of all tests: real Postgres and Valkey, an own Redis prefix that is emptied after each test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.db import connection
from django.test.utils import setup_databases, teardown_databases
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker

from recsite import local_services

pytest_plugins = ["tests.fault_lines", "tests.redis_cluster"]

MADE_BY_MIGRATIONS = {
    "auth_group", "auth_group_permissions", "catalog_revision", "interactions_eventtype", "recommender_placement",
    "django_migrations",
}  # fmt: skip
"""Tables with rows that every site starts with; content types and permissions are among `django_` and `auth_`."""

# How long an example takes says more of what else the machine does than of the code.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_configure(config: pytest.Config) -> None:
    """Hold the local servers up for as long as the tests run."""
    stack = ExitStack()
    try:
        stack.enter_context(local_services.running())
    except local_services.LocalServiceError as error:
        pytest.exit(str(error), returncode=1)
    config.add_cleanup(stack.close)


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: DjangoDbBlocker, django_db_keepdb: bool, django_db_createdb: bool
) -> Iterator[None]:
    """Make the test database for whoever asks.

    pytest-django makes it only when a collected test is marked `django_db`; a fixture that commits would else write to,
    and empty, the database of a running demo.
    """
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False, keepdb=django_db_keepdb and not django_db_createdb)
    yield
    if not django_db_keepdb:
        with django_db_blocker.unblock():
            teardown_databases(made, verbosity=0)


@pytest.fixture(autouse=True)
def notes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send what is noted before the request goes on: a test would have to wait for the thread, and share its data."""
    from interactions import impressions
    from recommender.shadowing import comparing

    for sender in (impressions.sender, comparing.sender):
        _send_at_once(sender, monkeypatch)


def _send_at_once(sender: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put = sender.put

    def put_and_send(note: Any) -> bool:
        taken: bool = put(note)
        sender.flush()
        return taken

    monkeypatch.setattr(sender, "_started", True)
    monkeypatch.setattr(sender, "put", put_and_send)


@pytest.fixture(autouse=True)
def models_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the next request answered by what was published before it."""
    monkeypatch.setattr("recommender.registry.active.IN_BACKGROUND", False)


@pytest.fixture(autouse=True)
def catalogue_in_memory(settings: django_settings) -> None:
    """Leave no file of what a test has committed."""
    settings.CATALOGUE_DIRECTORY = ""


@pytest.fixture(autouse=True)
def redis_prefix(settings: django_settings) -> Iterator[str]:
    """Give each test keys of its own and remove them afterwards."""
    from recsite import rate_limits

    settings.REDIS_KEY_PREFIX = f"test:{settings.DATABASES['default']['TEST']['NAME']}"
    rate_limits.forget()
    yield settings.REDIS_KEY_PREFIX
    # A client of its own: the requests' one gives up after 0.2 s, which a busy machine can need.
    with redis.Redis.from_url(settings.REDIS_URL) as patient:
        keys = list(patient.scan_iter(f"{settings.REDIS_KEY_PREFIX}:*"))
        if keys:
            patient.delete(*keys)


@pytest.fixture
def committing_database(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Give a database whose transactions really commit, and empty it afterwards of all but what migrations made."""
    with committing(django_db_blocker):
        yield


@contextmanager
def committing(blocker: DjangoDbBlocker) -> Iterator[None]:
    """Open the database to the `with` block, which commits, and empty it afterwards of all but what migrations made.

    Not pytest-django's transactional mode: its flush would take event types, placements and revisions.
    """
    with blocker.unblock():
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace "
                    "WHERE nspname = 'public' AND relkind IN ('r', 'p') AND NOT relispartition"
                )
                filled = {name for (name,) in cursor.fetchall()} - MADE_BY_MIGRATIONS
                filled -= {"django_content_type", "auth_permission"}
                # Past the triggers, one of which lets nobody empty the record of what was done in admin.
                cursor.execute("SET session_replication_role = replica")
                cursor.execute(f"TRUNCATE {', '.join(sorted(filled))}")
            connection.close()
