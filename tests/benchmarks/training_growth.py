"""What a rebuild costs as events grow, beside the least it could: raw COPY out and implicit's own fit.

A million, five and twenty million events of `audience` are put into Postgres and rebuilt from with ALS alone (64
factors, 15 iterations; recipes that ask for no other model of behaviour, nothing held out): reading, popularity,
content, ALS, indexes, recall, writing and publishing. Raw is the same events out by binary COPY, drained and
forgotten, and implicit's fit of the finished matrix. Twenty minutes on two cores, 4 GB of disk; at the end the
default rebuild, which tunes and measures every model, on a million.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from django.db import connection
from django.test.utils import override_settings
from implicit.als import AlternatingLeastSquares
from scipy import sparse

from interactions.models import EventType
from recommender.conf import DEFAULT_RECIPES, DEFAULTS
from recommender.models import RebuildJob
from recommender.rebuilding import rebuild
from recommender.registry import job_course
from recommender.registry.job_course import peak_bytes
from recommender.training import als
from tests.benchmarks import audience, event_rows, log_charts
from tests.benchmarks.audience import Audience
from tests.benchmarks.figures import Row, at_most
from tests.benchmarks.workbench import Workbench

SIZES = (1_000_000, 5_000_000, 20_000_000)
OTHER_MODELS = {"item_to_item", "item_to_item_balanced", "next_items", "session", "random_walk"}
ALS = DEFAULTS["ALS"]


@dataclass(frozen=True, slots=True)
class Cost:
    """What something took."""

    seconds: float
    processor: float
    """Seconds of all this process's threads; Postgres's are not in it."""

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.seconds + other.seconds, self.processor + other.processor)


def run(bench: Workbench) -> Iterator[Row]:
    """Measure each size, then the growth between them, then the default rebuild."""
    event_rows.prepare()
    watch = EventType.objects.get(name="watch").pk
    costs: dict[str, list[tuple[float, float]]] = {"rebuild with ALS alone": [], "raw COPY and fit": []}
    raw = {}
    for size in SIZES:
        bench.step(f"{size:,} events: generating")
        taken = audience.generate(size)
        event_rows.fill(taken, watch)
        bench.step(f"{size:,} events: rebuild with ALS alone")
        ours = _rebuilt(RECOMMENDER_RECIPES=_als_alone(), RECOMMENDER_TUNING={**DEFAULTS["TUNING"], "users": 0})
        yield Row(name=f"training: {size:,} events, peak memory", value=peak_bytes() / 1e6, unit="MB")
        yield from _stages(size)
        bench.step(f"{size:,} events: raw")
        copied, fitted = _timed(_drain), _timed(partial(_raw_model().fit, _matrix(taken), show_progress=False))
        raw[size] = copied + fitted
        yield Row(name=f"training: {size:,} events, raw COPY out", value=copied.seconds, unit="s")
        yield Row(name=f"training: {size:,} events, raw fit", value=fitted.seconds, unit="s")
        yield Row(
            name=f"training: {size:,} events, rebuild with ALS alone, share of raw",
            value=ours.seconds / raw[size].seconds,
            unit="×",
            target=at_most(1.25) if size == SIZES[-1] else None,
            note=f"{ours.seconds:.0f} s; of processor time {ours.processor / raw[size].processor:.2f} ×",
        )
        for name, cost in zip(costs, (ours, raw[size]), strict=True):
            costs[name].append((len(taken.users), cost.processor))
    for name, points in costs.items():
        events, seconds = np.log(np.array(points)).T
        exponent = float(np.polyfit(events, seconds, 1)[0])
        target = at_most(1.05) if name == "rebuild with ALS alone" else None
        yield Row(name=f"training: {name}, exponent of growth", value=exponent, unit="", target=target)
    log_charts.curves(bench.charts / "training_growth.svg", "Training", "events", "processor seconds", costs)
    bench.step(f"{SIZES[0]:,} events: default rebuild")
    event_rows.fill(audience.generate(SIZES[0]), watch)
    default = _rebuilt()
    share = default.seconds / raw[SIZES[0]].seconds
    name = f"training: {SIZES[0]:,} events, default rebuild, share of raw"
    yield Row(name=name, value=share, unit="×", note=f"{default.seconds:.0f} s, {peak_bytes() / 1e6:,.0f} MB")


def _als_alone() -> dict[str, dict[str, Any]]:
    """Return the default recipes without the sources of the other models."""
    recipes = {name: dict(recipe) for name, recipe in DEFAULT_RECIPES.items()}
    for recipe in recipes.values():
        if "sources" in recipe:
            recipe["sources"] = {name: kept for name, kept in recipe["sources"].items() if name not in OTHER_MODELS}
    return recipes


def _rebuilt(**settings: Any) -> Cost:
    with override_settings(**settings):
        cost = _timed(partial(rebuild, "benchmark", force=True))
    job = RebuildJob.objects.select_related("version").first()
    if job is None or job.version is None or job.version.state != "ready":
        raise AssertionError(f"the rebuild was not published: {job and job.error}")
    return cost


def _stages(size: int) -> Iterator[Row]:
    """Yield what each stage of the last rebuild took."""
    for stage, took, _ in job_course.table(RebuildJob.objects.all()[0]):
        seconds = float(took.removesuffix(" s"))
        yield Row(name=f"training: {size:,} events, {stage}", value=seconds, unit="s")


def _drain() -> None:
    columns = "user_id, item_id, event_type_id, occurred_at, value"
    with connection.cursor() as cursor:
        query = f"COPY (SELECT {columns} FROM interactions_event) TO STDOUT (FORMAT binary)"
        with cursor.copy(query) as copy:
            for _ in copy:
                pass


def _matrix(taken: Audience) -> sparse.csr_matrix:
    ones = np.ones(len(taken.users), dtype=np.float32)
    matrix = sparse.csr_matrix((ones, (taken.users, taken.items)), shape=(taken.n_users, taken.n_items))
    matrix.data[:] = 1
    return matrix


def _raw_model() -> Any:
    # The suite runs every benchmark with one BLAS thread, as implicit wants it.
    return AlternatingLeastSquares(
        factors=ALS["factors"],
        regularization=ALS["regularization"],
        alpha=ALS["alpha"],
        iterations=ALS["iterations"],
        random_state=1,
        num_threads=als.threads(),
    )


def _timed(work: Callable[[], object]) -> Cost:
    started, processor = time.perf_counter(), time.process_time()
    work()
    return Cost(time.perf_counter() - started, time.process_time() - processor)
