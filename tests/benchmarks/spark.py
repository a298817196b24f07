"""Training by this process and by Spark on the same machine: reading events, ALS, transitions, items taken together.

Events of `audience` are put into Postgres; both engines read them and train on the same pairs with the default
parameters. Where Spark's seconds are fewer it pays on this machine alone; on a cluster its share of the work is divided
by the machines, and what this process does is not. SPARK_EVENTS says how many events, by commas.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from django.db import connection
from django.test.utils import override_settings

from interactions import event_types
from interactions.models import EventType
from recommender.training.dataset import Interactions
from recommender.training.engines import NAMES, choosing
from recommender.training.engines.base import Engine
from recommender.training.settings import untuned
from tests.benchmarks import audience, event_rows, log_charts
from tests.benchmarks.figures import Row
from tests.benchmarks.workbench import Workbench

SIZES = tuple(int(size) for size in os.environ.get("SPARK_EVENTS", "1000000,5000000,20000000").split(","))
SETTINGS = {"master": "local[*]", "options": {"spark.driver.memory": os.environ.get("SPARK_MEMORY", "3g")}}


def run(bench: Workbench) -> Iterator[Row]:
    """Measure both engines at each size."""
    event_rows.prepare()
    watch = EventType.objects.get(name="watch").pk
    totals: dict[str, list[tuple[float, float]]] = {name: [] for name in NAMES}
    for size in SIZES:
        bench.step(f"{size:,} events: generating")
        event_rows.fill(audience.generate(size), watch)
        seconds: dict[str, float] = {}
        for name in NAMES:
            label = f"{name}: {size:,} events"
            with override_settings(RECOMMENDER_SPARK=SETTINGS):
                started = time.perf_counter()
                engine = choosing.engine(name)
                with engine:
                    yield Row(name=f"{label}, start", value=time.perf_counter() - started, unit="s")
                    for what, took in _measured(engine):
                        bench.step(f"{label}, {what}: {took:.1f} s")
                        yield Row(name=f"{label}, {what}", value=took, unit="s")
                seconds[name] = time.perf_counter() - started
            totals[name].append((size, seconds[name]))
        share = seconds["spark"] / seconds["local"]
        yield Row(name=f"spark: {size:,} events, all of it against local", value=share, unit="×")
    log_charts.curves(bench.charts / "spark.svg", "Training by Spark", "events", "seconds", totals)


def _measured(engine: Engine) -> Iterator[tuple[str, float]]:
    """Yield each part of the work, and the seconds it took."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM catalog_item ORDER BY id")
        pks = np.array([pk for (pk,) in cursor.fetchall()], dtype=np.int64)
    settings = untuned()
    read: list[Interactions] = []
    yield "reading", _timed(lambda: read.append(engine.load(pks, event_types.load(0))))
    (data,) = read
    parts: dict[str, Callable[[], Any]] = {
        "popularity": lambda: engine.popularity(data),
        "ALS": lambda: engine.collaborative(data, settings.als, 1),
        "transitions": lambda: engine.session(data, settings.session),
        "items taken together": lambda: engine.item_to_item(data, settings.item_to_item),
    }
    for what, part in parts.items():
        yield what, _timed(part)


def _timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
