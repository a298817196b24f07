"""Minutes of everything at once, to see that memory stays flat: the server, the worker and beat as in production.

Personal, similar and trending lists, whole pages, single events and batches come in an open loop at half of what the
server can take; an item changes every five seconds and the model every minute. SOAK_MINUTES says how long (10).

SOAK_REQUESTS=1000000 asks so many instead, as a site is asked most of whose visitors are strangers: what is the same
for everybody by far the most often, of some items far more often than of others, and events by people of whom nothing
else is known; an item changes every five minutes and the model every ten.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np
import orjson
from scipy.stats import theilslopes

from catalog.models import Item
from interactions import popularity
from interactions.importing import import_dataset
from interactions.responses import Audience, Temperament
from recommender.models import RebuildJob
from recommender.rebuilding import rebuild
from recsite import api_keys
from recsite.demo import programs
from tests.benchmarks import charts, films
from tests.benchmarks.figures import Row, at_least, at_most, milliseconds
from tests.benchmarks.load import names
from tests.benchmarks.load_generator import Call, Outcome, load_generator
from tests.benchmarks.measured_processes import Memory, descendants, memory_of
from tests.benchmarks.republishing import publish_again
from tests.benchmarks.workbench import Workbench
from tests.web_server import WORKER, web_server

MINUTES = float(os.environ.get("SOAK_MINUTES", "10"))
REQUESTS = int(os.environ.get("SOAK_REQUESTS", "0"))
"""0: for MINUTES."""
CALLS = 20_000
BATCH = 100
OF_STRANGERS = 0.9
ITEMS_LOOKED_AT = 5
MOST_ITEMS = 2_000
"""That events are of, and that are asked about."""
WARM_UP_SECONDS, SATURATION_SECONDS = 30.0, 10.0
SAMPLE_SECONDS = 10.0
BACKGROUND = "-m celery"
"""In the command lines of the worker and of beat."""
FLAT = at_most(3.0)
"""Per cent of growth in the last two thirds: less than one version of this model, or a few thousand events, hold."""
SERVED = at_least(99.99)
MB = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Who asks for what."""

    mix: Mapping[str, float]
    """Shares of the kinds."""
    share: float
    """Of the rate of saturation."""
    strangers: int
    """Users that nothing is known of: nine of ten events are theirs, and so are trending lists. 0: there are none."""
    item_seconds: float
    swap_seconds: float


USUAL = Load(
    mix={"personalized": 0.5, "similar": 0.2, "trending": 0.1, "page": 0.05, "event": 0.14, "batch": 0.01},
    share=0.5,
    strangers=0,
    item_seconds=5.0,
    swap_seconds=60.0,
)
MANY = Load(
    mix={"personalized": 0.02, "similar": 0.4, "trending": 0.45, "page": 0.005, "event": 0.123, "batch": 0.002},
    share=0.6,
    strangers=20_000,
    item_seconds=300.0,
    swap_seconds=600.0,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    minutes: float
    web: Memory
    background: Memory


def run(bench: Workbench) -> Iterator[Row]:
    """Load the site and watch what its processes hold."""
    data = films.folder()
    if data is None:
        yield Row(name="soak: growth", value=None, unit="%", note=films.MISSING)
        return
    import_dataset(data, progress=bench.tell)
    rebuild("benchmark", force=True, progress=bench.step)
    popularity.refresh()
    key = api_keys.create("benchmark", ["read", "events"])
    usual = MANY if REQUESTS else USUAL
    calls = mixed(names("interactions_userprofile", "user_id"), names("catalog_item", "item_id"), usual)
    with (
        web_server(bench.folder, workers=2, also=programs.background()) as port,
        load_generator(port, key, os.sched_getaffinity(0)) as load,
    ):
        bench.step("finding the rate of saturation")
        # As fast as possible is too fast: here a few may be refused.
        load.start(calls, seconds=WARM_UP_SECONDS).result()
        rate = load.start(calls, seconds=SATURATION_SECONDS).result().rate * usual.share
        yield Row(name="soak: load", value=rate, unit="requests/s")
        seconds = REQUESTS / rate if REQUESTS else 60 * MINUTES
        driven = load.start(calls, seconds=seconds, rate=rate)
        samples = _watched(bench, driven, seconds, usual)
        outcome = driven.result()
    failed, asked = len(outcome.failed), len(outcome.failed) + len(outcome.seconds)
    note = f"{failed} of {asked:,}{f', the first: {outcome.failed[0][:200]}' if failed else ''}"
    yield Row(name="soak: requests answered", value=100 * (1 - failed / asked), unit="%", target=SERVED, note=note)
    yield from milliseconds("soak: answered", outcome.seconds.tolist())
    yield from _verdict(bench, samples)


def mixed(users: list[str], items: list[str], usual: Load) -> list[Call]:
    """Return requests of all kinds, in the same order every time. Events have no time: asked again they are new.

    Who asks and what he takes is the simulated audience's: people come as often as is their manner, and an event is of
    what somebody chooses among ITEMS_LOOKED_AT that he sees. Items are asked about in inverse proportion to their place
    (Zipf).
    """
    rng = np.random.default_rng(3)
    known = items[:MOST_ITEMS]
    frequency = 1 / np.arange(1, len(known) + 1)
    opened = iter(rng.choice(len(known), size=CALLS, p=frequency / frequency.sum()).tolist())
    audience = Audience(len(users), len(known), seed=3, temperament=Temperament(position_bias=0.0, inclination=0.0))
    visitors = itertools.chain.from_iterable(audience.visitors(CALLS).tolist() for _ in itertools.count())

    def taken() -> tuple[str, str]:
        while True:
            person, looked_at = next(visitors), rng.integers(len(known), size=ITEMS_LOOKED_AT)
            chosen = looked_at[audience.respond(person, looked_at)]
            if len(chosen):
                is_stranger = usual.strangers and rng.random() < OF_STRANGERS
                user = f"stranger-{rng.integers(usual.strangers)}" if is_stranger else users[person]
                return user, known[int(chosen[0])]

    def event() -> dict[str, str]:
        user, item = taken()
        return {"user_id": user, "item_id": item, "event_type": "click"}

    def call(kind: str) -> Call:
        match kind:
            case "event":
                return Call("/api/v1/events", orjson.dumps(event()))
            case "batch":
                return Call("/api/v1/events", orjson.dumps({"events": [event() for _ in range(BATCH)]}))
            case "similar":
                return Call(f"/api/v1/similar/{known[next(opened)]}?limit=20")
            case "page":
                return Call(f"/api/v1/pages/home?user_id={users[next(visitors)]}")
            case "trending" if usual.strangers:
                return Call("/api/v1/recommendations/somebody?limit=20&type=trending")
        return Call(f"/api/v1/recommendations/{users[next(visitors)]}?limit=20&type={kind}")

    return [call(kind) for kind in rng.choice(list(usual.mix), size=CALLS, p=list(usual.mix.values())).tolist()]


def _watched(bench: Workbench, driven: Future[Outcome], seconds: float, usual: Load) -> list[_Sample]:
    """Change items and models, and take samples, until the load has ended."""
    started = time.monotonic()
    items = list(Item.objects.order_by("id")[:100])
    due = {"item": usual.item_seconds, "swap": usual.swap_seconds, "sample": 0.0}
    samples = []
    while not driven.done():
        now = time.monotonic() - started
        if now >= due["sample"]:
            due["sample"] += SAMPLE_SECONDS
            web, background = (memory_of(descendants(command)) for command in (WORKER, BACKGROUND))
            samples.append(_Sample(minutes=now / 60, web=web, background=background))
            bench.tell("under load", round(now), round(seconds))
        if now >= due["item"]:
            due["item"] += usual.item_seconds
            item = items[round(now) % len(items)]
            item.description = f"changed after {now:.0f} s"
            item.save()
        if now >= due["swap"]:
            due["swap"] += usual.swap_seconds
            # Beat's own rebuild, every six hours, ends in a swap as well.
            if not RebuildJob.objects.filter(state=RebuildJob.State.RUNNING).exists():
                publish_again()
        time.sleep(0.5)
    return samples


def _verdict(bench: Workbench, samples: Sequence[_Sample]) -> Iterator[Row]:
    series = {
        "web, own": [(one.minutes, one.web.anonymous / MB) for one in samples],
        "web, with its share of files": [(one.minutes, one.web.pss / MB) for one in samples],
        "worker and beat, own": [(one.minutes, one.background.anonymous / MB) for one in samples],
    }
    title = f"{samples[-1].minutes:.0f} minutes of mixed load"
    charts.lines(bench.charts / "soak.svg", title, "minutes", "MB, all processes together", series)
    for name, points in series.items():
        yield _growth(f"soak: growth of {name}", np.array(points[len(points) // 3 :]))


def _growth(name: str, points: np.ndarray) -> Row:
    """Return the growth over (n, 2) minutes and MB, in per cent of their median.

    By the median of the slopes between any two samples (Theil and Sen): while it reads a catalogue or a model a process
    holds the old one too, and a sample then says nothing about a leak.
    """
    minutes, held = points.T
    usual, span = np.median(held), minutes[-1] - minutes[0]
    slope, _, low, high = (100 * slope * span / usual for slope in theilslopes(held, minutes))
    note = f"95 %: {low:.1f} to {high:.1f} of {usual:.0f} MB"
    return Row(name=name, value=float(slope), unit="%", target=FLAT, note=note)
