"""The version before runs on the tables of this one: its own tests pass on a database that this version has migrated.

The version before is the last release, a tag `v…`; where there is none yet, the last commit without the newest
migration. A copy of the project without its history cannot know it, and skips this.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection
from pytest_django import DjangoDbBlocker

from recsite.environment import BASE_DIRECTORY

MIGRATIONS = ":(glob)*/migrations/0*.py"
TESTS = (
    "tests/catalog/api/test_items.py",
    "tests/interactions/api/test_events.py",
    "tests/interactions/api/test_users.py",
    "tests/interactions/test_impressions.py",
    "tests/experiments/test_exposure.py",
    "tests/recommender/api/test_recommendations.py",
    "tests/recommender/registry/test_jobs.py",
    "tests/recsite/test_api_keys.py",
)
"""What each app reads and writes for a request and for a rebuild; those of them that the version before has."""
WRITING = "not refuse and not wrong and not bad"
"""What is refused reaches no table."""


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=BASE_DIRECTORY, check=True, capture_output=True).stdout


def version_before() -> str:
    """Return the commit, skipping the test where it is not known."""
    try:
        tags = git("tag", "--list", "v*", "--merged", "HEAD", "--sort=-creatordate").split()
        if tags:
            return tags[0].decode()
        if git("status", "--porcelain", "--", MIGRATIONS):
            return "HEAD"
        added = git("log", "-1", "--first-parent", "-m", "--diff-filter=A", "--format=%H", "--", MIGRATIONS).decode()
        return git("rev-parse", "--verify", f"{added.strip()}^").decode().strip()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("the project's history is not here")


@pytest.fixture
def database(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """Give the name of an empty database beside that of the tests."""
    name = f"{connection.settings_dict['NAME']}_before"
    with django_db_blocker.unblock(), closing(connection.copy()) as own, own.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}"')
        yield name
        cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_its_tests_pass_on_the_tables_of_this_one(database: str, tmp_path: Path) -> None:
    before = version_before()
    # Not tarfile: its filter is of Python 3.11.4, and without one newer Pythons warn.
    subprocess.run(["tar", "-x", "-C", str(tmp_path)], input=git("archive", before), check=True)
    # Where production's static files are; a warning would be an error.
    (tmp_path / "staticfiles").mkdir()
    at = connection.settings_dict
    server = f"{at['USER']}:{at['PASSWORD']}@{quote(at['HOST'], safe='')}:{at['PORT']}"
    kept = ("PATH", "HOME", "LD_LIBRARY_PATH", "PG_BIN", "REDIS_SERVER")
    environment = {name: os.environ[name] for name in kept if name in os.environ} | {
        "DATABASE_URL": f"postgres://{server}/{database}",
        "REDIS_URL": settings.REDIS_URL,
        "SECRET_KEY": "the version before " * 4,
        "DEMO_SITE": "true",
        "TEST_DATABASE_NAME": database,
    }
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, cwd=BASE_DIRECTORY, env=environment, check=True)
    tests = [test for test in TESTS if (tmp_path / test).exists()]
    assert tests
    command = [sys.executable, "-m", "pytest", "--reuse-db", "-p", "no:cacheprovider", "-k", WRITING, *tests]
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{before}: {ran.stdout[-4000:]}{ran.stderr[-1000:]}"
