"""A personalised list on real films: how long, with how many queries, in which stages, and against a bare view.

The films and ratings of MovieLens are imported and the models rebuilt, both by the product's own doors; then a
hundred of the real users ask, each with his whole history, in one process and thread. Each user asks once before
anything is measured, so that what the product itself keeps (his features in Redis, the model in memory) is there;
finished lists are not kept, so that each is made.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from django.db import connection
from django.test import override_settings

from interactions.importing import import_dataset
from recommender import serving
from recommender.rebuilding import rebuild
from recommender.visit import begin
from tests.benchmarks import charts, films
from tests.benchmarks.bare_views import BareListView
from tests.benchmarks.event_effect import measure_effect
from tests.benchmarks.figures import Row, at_least, at_most, milliseconds
from tests.benchmarks.http_door import HttpDoor, http_door
from tests.benchmarks.workbench import Workbench

USERS = 100
ROUNDS = 5
KINDS = ("source", "filter", "scorer", "re-ranker")
"""First words of the names that stages have in a trace."""
LIMIT = 20
P50 = at_most(10.0)
SHARE_OF_BARE = at_least(0.5)


def run(bench: Workbench) -> Iterator[Row]:
    """Measure `serving.recommend`, then the same over HTTP."""
    data = films.folder()
    if data is None:
        yield Row(name="serving: personalised p50", value=None, unit="ms", target=P50, note=films.MISSING)
        return
    with override_settings(RECOMMENDER_RESULT_CACHE={"lists": 0, "seconds": 0}):
        yield from _measure(bench, data)


def _measure(bench: Workbench, data: Path) -> Iterator[Row]:
    import_dataset(data, progress=bench.tell)
    started = time.perf_counter()
    rebuilt = rebuild("benchmark", progress=bench.step)
    if not rebuilt.published:
        raise AssertionError(f"the rebuild was not published: {'; '.join(rebuilt.reasons)}")
    yield Row(name="serving: rebuild, trial included", value=time.perf_counter() - started, unit="s")
    users = _users()
    bench.step("warming up")
    for user in users:
        if serving.recommend(user, limit=LIMIT).fallback:
            raise AssertionError(f"user {user} was answered by the fallback")
    yield from milliseconds("serving: personalised", _latencies(bench, users), targets={50: P50})
    yield Row(name="serving: Postgres queries a request", value=_queries(users), unit="", target=at_most(0))
    yield from _stages(bench, users)
    with http_door() as door:
        yield from _against_bare(bench, door, users)
        yield from measure_effect(bench, door, users)


def _users() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT user_id FROM interactions_userprofile ORDER BY user_id")
        everyone = [row[0] for row in cursor.fetchall()]
    chosen = np.random.default_rng(1).choice(len(everyone), min(USERS, len(everyone)), replace=False)
    return [everyone[place] for place in sorted(chosen)]


def _latencies(bench: Workbench, users: list[str]) -> list[float]:
    seconds = []
    for number in range(ROUNDS):
        for place, user in enumerate(users):
            started = time.perf_counter()
            serving.recommend(user, limit=LIMIT)
            seconds.append(time.perf_counter() - started)
            bench.tell("asking in the process", number * len(users) + place + 1, ROUNDS * len(users))
    return seconds


def _queries(users: list[str]) -> float:
    """Return the mean number of Postgres queries of a request."""
    counted = 0

    def count(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        nonlocal counted
        counted += 1
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(count):
        for user in users:
            serving.recommend(user, limit=LIMIT)
    return counted / len(users)


def _stages(bench: Workbench, users: list[str]) -> Iterator[Row]:
    """Yield the median of all stages together; draw the median of each."""
    stages: dict[str, list[float]] = defaultdict(list)
    for user in users:
        started = time.perf_counter()
        begin(user, record=False)
        reading = (time.perf_counter() - started) * 1000
        stages["reading the user"].append(reading)
        started = time.perf_counter()
        made = serving.recommend(user, limit=LIMIT, explain=True)
        whole = (time.perf_counter() - started) * 1000
        assert made.trace is not None
        for stage in made.trace["stages"]:
            stages[f"{stage['kind']} {stage['stage']}"].append(stage["milliseconds"])
        stages["reasons, impressions, between"].append(whole - reading - made.trace["milliseconds"])
    medians = {name: float(np.median(values)) for name, values in stages.items()}
    charts.bars(bench.charts / "serving_stages.svg", "A personalised list, stage by stage", "ms (median)", medians)
    alone = {name: value for name, value in medians.items() if name.partition(" ")[0] in KINDS}
    slowest = sorted(alone, key=lambda name: -alone[name])[:3]
    note = ", ".join(f"{name} {alone[name]:.2f}" for name in slowest)
    yield Row(name="serving: stages of the pipeline alone", value=sum(alone.values()), unit="ms", note=f"most: {note}")


def _against_bare(bench: Workbench, door: HttpDoor, users: list[str]) -> Iterator[Row]:
    """Compare the rate over HTTP with the bare view's; the two take turns, the best of each user's rounds counts."""
    path = "/api/v1/recommendations/{}?limit={}"
    BareListView.body = door.get(path.format(users[0], LIMIT)).json()
    ours, bare = np.full((2, len(users)), np.inf)
    everything = []
    sizes = []
    for number in range(ROUNDS):
        for place, user in enumerate(users):
            answer = door.get(path.format(user, LIMIT))
            everything.append(answer.seconds)
            sizes.append(len(answer.body))
            ours[place] = min(ours[place], answer.seconds)
            bare[place] = min(bare[place], door.get("/bare/list").seconds)
            bench.tell("asking over HTTP", number * len(users) + place + 1, ROUNDS * len(users))
    yield from milliseconds("serving: personalised over HTTP", everything)
    yield Row(name=f"serving: an answer of {LIMIT} items", value=float(np.mean(sizes)), unit="bytes")
    yield Row(name="serving: a bare view with 3 Redis commands", value=float(bare.mean()) * 1000, unit="ms")
    yield Row(
        name="serving: personalised list, share of the bare view's rate",
        value=float(bare.sum() / ours.sum()),
        unit="×",
        target=SHARE_OF_BARE,
    )
