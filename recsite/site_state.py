"""What only the databases know and somebody should be woken for, asked when `/metrics` is."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

from django.db import DatabaseError, connection
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from catalog.redis_store import ping
from interactions import dead_letters, impressions, partitions
from interactions.redis_breaker import RedisAway, ask
from recommender import site_figures
from recsite.replicas import replicas

logger = logging.getLogger(__name__)


class SiteState(Collector):
    """Each figure costs one short query; without Postgres, or Redis, theirs are left out."""

    def collect(self) -> Iterator[Metric]:
        """Yield whether Postgres and Redis answer and, of those that do, how the site is."""
        found, up = list[Metric](), {"postgres": 1, "redis": 1}
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            found += _of_postgres()
        except DatabaseError as error:
            logger.warning("metrics: Postgres: %s", error)
            found, up["postgres"] = [], 0
        try:
            waiting = impressions.waiting()
            found.append(_gauge("recsite_impressions_waiting", "Lists shown and not yet written to Postgres.", waiting))
            ask(ping)
        except RedisAway as error:
            logger.warning("metrics: Redis: %s", error)
            up["redis"] = 0
        yield _gauge("recsite_postgres_up", "1 when Postgres answers.", up["postgres"])
        yield _gauge("recsite_redis_up", "1 when Redis answers, of a cluster every node.", up["redis"])
        yield _of_replicas()
        yield from found


def _of_replicas() -> Metric:
    read = GaugeMetricFamily("recsite_replica_read", "1 when a replica of Postgres is read.", labels=["replica"])
    for replica in replicas():
        read.add_metric([replica.alias], replica.is_current())
    return read


def _of_postgres() -> Iterator[Metric]:
    stray = GaugeMetricFamily(
        "recsite_default_partition_rows", "Rows in no partition of their own; 0 is right.", labels=["table"]
    )
    for table in partitions.TABLES:
        stray.add_metric([table], partitions.default_rows(table))
    yield stray
    letters = GaugeMetricFamily("recsite_dead_letters", "Refused events that wait to be replayed.", labels=["code"])
    for code, count in dead_letters.waiting().items():
        letters.add_metric([code], count)
    yield letters
    now, published, asked = time.time(), site_figures.trained_at(), site_figures.rebuild_waits_since()
    if published is not None:
        yield _gauge("recsite_model_age_seconds", "Since the model that serves was built.", now - published)
    yield _gauge("recsite_rebuild_waiting_seconds", "How long a rebuild has waited to begin.", now - (asked or now))


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=max(value, 0))
