"""A publisher killed with SIGKILL at each point of a publication leaves either the old version or the new one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
from django.conf import settings
from django.db import connection

from recommender.models import ModelVersion
from recommender.registry import active, jobs, publishing, storage
from recommender.registry.jobs import Lease

pytestmark = pytest.mark.usefixtures("committed")

PUBLISH = """
import os, sys
database, directory, prefix, name, token, point = sys.argv[1:]
os.environ["DJANGO_SETTINGS_MODULE"] = "recsite.settings"
from django.conf import settings
settings.DATABASES["default"]["NAME"] = database
settings.RECOMMENDER_MODEL_DIRECTORY = directory
settings.REDIS_KEY_PREFIX = prefix
import django
django.setup()
from catalog import revisions
from recommender.models import ActiveModel, ModelVersion
from recommender.registry import publishing, storage

def die_after(function):
    def call(*arguments, **keywords):
        function(*arguments, **keywords)
        os.kill(os.getpid(), 9)
    return call

if point == "read back":
    storage.load = die_after(storage.load)
if point == "moved, not committed":
    ActiveModel.save = die_after(ActiveModel.save)
if point == "committed, not announced":
    revisions.announce_all = lambda: os.kill(os.getpid(), 9)
publishing.publish(ModelVersion.objects.get(name=name), fencing_token=int(token))
"""


@pytest.mark.fault(3)
@pytest.mark.parametrize(
    ("point", "serving"), [("read back", "v1"), ("moved, not committed", "v1"), ("committed, not announced", "v2")]
)
def test_the_pointer_is_old_or_new_and_the_next_rebuild_goes_on(
    publish: Callable[[], ModelVersion],
    record: Callable[[], ModelVersion],
    lease: Callable[[], Lease],
    point: str,
    serving: str,
) -> None:
    publish()
    version = record()
    dying = lease()
    arguments = [
        connection.settings_dict["NAME"], str(storage.root()), settings.REDIS_KEY_PREFIX, version.name,
        str(dying.fencing_token), point,
    ]  # fmt: skip
    result = subprocess.run([sys.executable, "-c", PUBLISH, *arguments], capture_output=True, text=True, check=False)
    assert result.returncode == -9, result.stderr
    bundle = active.current(1)
    assert bundle is not None
    assert bundle.name == serving
    assert isinstance(jobs.claim("next"), jobs.NotNow)
    publishing.publish(version, fencing_token=lease().fencing_token)
    bundle = active.current(2)
    assert bundle is not None
    assert bundle.name == "v2"
