"""Which queue a task waits in, so that what is late in one does not hold up another.

A worker takes all of them unless it is told otherwise (`celery worker --queues ingest,maintenance`): a site that trains
on a machine of its own starts one with `--queues training` there.
"""

from __future__ import annotations

from kombu import Exchange, Queue

INGEST, TRAINING, MAINTENANCE = "ingest", "training", "maintenance"
# With a routing key each: those without one are all bound to that of the default queue.
QUEUES = [Queue(name, Exchange(name), routing_key=name) for name in (INGEST, TRAINING, MAINTENANCE)]
ROUTES = {
    # What has been shown and done, into Postgres and into what lists are made of: seconds matter.
    "recommender.tasks.write_impressions": {"queue": INGEST},
    "interactions.tasks.refresh_popularity": {"queue": INGEST},
    "interactions.tasks.count_explored": {"queue": INGEST},
    "interactions.tasks.refill_features": {"queue": INGEST},
    "interactions.tasks.announce_revisions": {"queue": INGEST},
    "interactions.tasks.replay_dead_letters": {"queue": INGEST},
    # Minutes to hours, gigabytes.
    "recommender.tasks.rebuild_models": {"queue": TRAINING},
    "recommender.tasks.resume_rebuild": {"queue": TRAINING},
    "recommender.tasks.refresh_content_vectors": {"queue": TRAINING},
}
"""All other tasks are MAINTENANCE."""
