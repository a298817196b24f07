"""Tasks wait in the queue that is theirs, and a worker that is told of one queue takes nothing of another."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from celery import Celery
from django.conf import settings as django_settings

from recsite import queues
from recsite.celery import app
from recsite.environment import BASE_DIRECTORY
from recsite.local_services.server import wait_until


def queue_of(task: str) -> str:
    """Return where a task is sent."""
    return str(app.amqp.router.route({}, task)["queue"].name)


def test_every_route_is_of_a_task_that_is_there() -> None:
    app.loader.import_default_modules()
    assert set(queues.ROUTES) <= set(app.tasks)


@pytest.mark.parametrize(
    ("task", "queue"),
    [
        ("recommender.tasks.rebuild_models", "training"),
        ("recommender.tasks.write_impressions", "ingest"),
        ("interactions.tasks.maintain_partitions", "maintenance"),
        ("one.that.a.site.adds", "maintenance"),
    ],
)
def test_where_a_task_waits(task: str, queue: str) -> None:
    assert queue_of(task) == queue


@contextmanager
def broker(prefix: str) -> Iterator[Celery]:
    """An application whose messages are its own."""
    own = Celery("own", broker=app.conf.broker_url)
    own.conf.update(
        task_queues=queues.QUEUES,
        task_routes=queues.ROUTES,
        task_default_queue=queues.MAINTENANCE,
        broker_transport_options={**django_settings.CELERY_BROKER_TRANSPORT_OPTIONS, "global_keyprefix": prefix},
    )
    with own.connection_or_acquire() as connection:
        yield own
        for queue in queues.QUEUES:
            queue(connection.default_channel).purge()


def test_a_worker_of_one_queue_leaves_the_others(tmp_path: Path) -> None:
    log, prefix = tmp_path / "worker.log", f"test-{uuid4()}:"
    program = f"""
import recsite.celery
from celery import shared_task
app = recsite.celery.app
app.conf.broker_transport_options["global_keyprefix"] = {prefix!r}
@app.task(name="own.say")
def say(word):
    print("did-" + word, flush=True)
app.worker_main(["worker", "--queues", "ingest", "--pool", "solo", "--loglevel", "WARNING"])
"""
    with broker(prefix) as sender, log.open("wb") as output:
        sender.send_task("own.say", ["train"], queue=queues.TRAINING)
        sender.send_task("own.say", ["ingest"], queue=queues.INGEST)
        worker = subprocess.Popen(
            [sys.executable, "-c", program], cwd=BASE_DIRECTORY, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            wait_until(lambda: "did-ingest" in log.read_text() or worker.poll() is not None, 90)
        finally:
            worker.terminate()
            worker.wait()
        with sender.connection_or_acquire() as connection:
            waiting = connection.default_channel.client.llen(queues.TRAINING)
    assert "did-ingest" in log.read_text()
    assert waiting == 1
    assert "did-train" not in log.read_text()
