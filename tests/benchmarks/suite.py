"""The benchmarks, and how one is run: alone, in a process of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import cast

from tests.benchmarks.figures import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """A module of this package with `run(bench: Workbench) -> Iterator[Row]`."""

    name: str
    measures: str
    database: bool
    on_request: bool = False
    """Run only when named."""


BENCHMARKS = (
    Benchmark(name="quality", measures="ranking on films held out by time, against baselines", database=False),
    Benchmark(name="diversity", measures="what variety costs, by the diversity of a placement", database=False),
    Benchmark(name="rules", measures="what two hundred of the editors' rules cost a list", database=False),
    Benchmark(name="experiments", measures="a thousand experiments without effect; an assignment", database=True),
    Benchmark(
        name="analysis",
        measures="the report of an experiment with ten million impressions; only when named",
        database=True,
        on_request=True,
    ),
    Benchmark(name="serving", measures="a personalised list on real films, and an event's effect on it", database=True),
    Benchmark(name="load", measures="the real server under load: rates, latencies, a swap of the model", database=True),
    Benchmark(name="growth", measures="the same and its memory, up to a million generated items", database=True),
    Benchmark(name="ingest", measures="a million imported events, batches and single events over HTTP", database=True),
    Benchmark(name="storage", measures="bytes of an event, a shown item and a user, by where they are", database=True),
    Benchmark(
        name="browse",
        measures="searches with words and filters in up to a million items; only when named",
        database=True,
        on_request=True,
    ),
    Benchmark(name="vector_index", measures="exact and approximate search by size", database=False),
    Benchmark(name="vector_index_large", measures="the same in a million vectors, and in ten million", database=False),
    Benchmark(name="training_growth", measures="a rebuild of one to twenty million events, beside raw", database=True),
    Benchmark(
        name="spark",
        measures="training by Spark beside this process, SPARK_EVENTS (1 to 20 million); only when named",
        database=True,
        on_request=True,
    ),
    Benchmark(name="side_by_side", measures="other recommenders on the same splits, tuned alike", database=False),
    Benchmark(
        name="soak",
        measures="memory and failures in SOAK_MINUTES (10), or SOAK_REQUESTS, of everything at once; only when named",
        database=True,
        on_request=True,
    ),
)


def run(benchmark: Benchmark, charts: Path) -> list[Row]:
    """Run one benchmark in a new process and return its rows; what it raises is raised here."""
    # As the web and worker processes: more BLAS threads fight with those of the models and of the servers.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    os.environ["DJANGO_SETTINGS_MODULE"] = "recsite.settings"
    # Spawned, not forked: a fork would share the parent's caches and threads.
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as process:
        return process.submit(_run_here, benchmark, charts).result()


def _run_here(benchmark: Benchmark, charts: Path) -> list[Row]:
    import django

    django.setup()
    # What needs Django's settings can only be imported now.
    from tests.benchmarks import workbench
    from tests.benchmarks.telling import telling

    module = import_module(f"tests.benchmarks.{benchmark.name}")
    measure = cast(Callable[[workbench.Workbench], Iterator[Row]], module.run)
    with (
        telling(benchmark.name) as tell,
        workbench.opened(benchmark.name, charts, tell, database=benchmark.database) as bench,
    ):
        return list(measure(bench))
