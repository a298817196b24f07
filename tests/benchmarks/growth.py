"""What a personalised list costs as the catalogue grows from ten thousand to a million items.

Sites, people and models are generated (`generated_site`); histories are as long at every size. One worker on one core
is asked by eight connections, and so is the bare view; every request is a different one. What counts is the time
that the worker takes of the core: the same on a busy machine.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

import numpy as np
from django.test.utils import override_settings

from recommender.vector_index.faiss import FaissIndexBackend
from recsite import api_keys
from tests.benchmarks import charts, generated_site, memory
from tests.benchmarks.figures import Row, at_least, at_most
from tests.benchmarks.figures import milliseconds as in_milliseconds
from tests.benchmarks.load import BARE, PERSONAL, Calls, at_saturation, names, processors, warm_up
from tests.benchmarks.load_generator import load_generator
from tests.benchmarks.workbench import Workbench
from tests.web_server import web_server

SIZES = (10_000, 100_000, 1_000_000)
ROUNDS = 3
LATENCY_SECONDS = 8.0
EXPONENT = at_most(0.2)
SHARE_OF_SMALLEST = at_least(0.7)
WORKERS = {SIZES[1]: (1, 2, 4), SIZES[2]: (1, 2)}
"""How many are compared in what they hold: each checks the whole model first, so fewer of the largest."""
INDEX = {"BACKEND": "recommender.vector_index.faiss.FaissIndexBackend", "OPTIONS": {"kind": "ivf_pq"}}


def run(bench: Workbench) -> Iterator[Row]:
    """Measure each size, then how the time grows with it."""
    indexes = {"default": INDEX} if FaissIndexBackend("default", {}).available else None
    milliseconds: dict[int, float] = {}
    with override_settings(**({"RECOMMENDER_VECTOR_INDEXES": indexes} if indexes else {})):
        for size in SIZES:
            stored = generated_site.fill(size, bench.folder, bench.step)
            calls = Calls(names("interactions_userprofile", "user_id"), names("catalog_item", "item_id"))
            milliseconds[size] = yield from _one_size(bench, size, calls)
            if size in WORKERS:
                yield from memory.measure(bench, f"{size:,} items", stored.bytes, calls, WORKERS[size])
    exponent = float(np.polyfit(np.log(SIZES), np.log(list(milliseconds.values())), 1)[0])
    yield Row(name="growth: exponent of time against items", value=exponent, unit="", target=EXPONENT)
    share = milliseconds[SIZES[0]] / milliseconds[SIZES[-1]]
    name = f"growth: rate at {SIZES[-1]:,} items, against that at {SIZES[0]:,}"
    yield Row(name=name, value=share, unit="×", target=SHARE_OF_SMALLEST)
    labelled = {f"{size:,} items": value for size, value in milliseconds.items()}
    charts.bars(bench.charts / "growth.svg", "A personalised list as the catalogue grows", "ms of one core", labelled)


def _one_size(bench: Workbench, size: int, calls: Calls) -> Generator[Row, None, float]:
    """Return the milliseconds of one core that a personalised list takes."""
    server, clients = processors()
    key = api_keys.create("benchmark", ["read"])
    bench.step(f"{size:,} items: starting the server")
    with (
        web_server(bench.folder, urls="tests.benchmarks.load_urls", processors=server) as port,
        load_generator(port, key, clients) as load,
    ):
        warm_up(port, key, calls)
        bench.step(f"{size:,} items: at saturation")
        rounds = {kind: [at_saturation(load, calls.of(kind)) for _ in range(ROUNDS)] for kind in (BARE, PERSONAL)}
        rates = {kind: max(outcome.rate for outcome, _ in found) for kind, found in rounds.items()}
        taken = min(milliseconds for _, milliseconds in rounds[PERSONAL])
        half = load.drive(calls.of(PERSONAL), seconds=LATENCY_SECONDS, rate=rates[PERSONAL] / 2)
    label = f"growth: {size:,} items"
    yield Row(name=f"{label}, personalised", value=rates[PERSONAL], unit="requests/s")
    yield Row(name=f"{label}, of the core", value=taken, unit="ms")
    yield Row(name=f"{label}, share of the bare view's rate", value=rates[PERSONAL] / rates[BARE], unit="×")
    yield from in_milliseconds(f"{label}, at half its rate", half.seconds.tolist())
    return taken
