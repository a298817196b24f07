"""The real server under load: how many requests a second one process answers on one core, against a bare view there.

Real films and ratings, imported and rebuilt by the product's own doors; then the server as the product starts it, with
one worker held to one core, and the load from a process on another. Rates are those of a closed loop of eight
connections, latencies those of an open loop at half of each kind's own rate; kinds take turns, the best round counts.

People come as the simulated audience does (`interactions.responses`): few of them very often, always the same ones. A
personalised request is never the same twice (another user, another item excluded), so that no answer can have been
kept; similar and trending ones are asked over and over, so that they can.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Generator, Iterator

import numpy as np
from django.db import connection

from interactions import popularity
from interactions.importing import import_dataset
from interactions.responses import Audience
from recommender.rebuilding import rebuild
from recsite import api_keys
from tests.benchmarks import charts, films
from tests.benchmarks.figures import Row, at_least, at_most, milliseconds
from tests.benchmarks.load_generator import Call, LoadGenerator, Outcome, ask_in_turn, load_generator
from tests.benchmarks.load_urls import answer_bare
from tests.benchmarks.measured_processes import descendants, processor_seconds
from tests.benchmarks.republishing import publish_again
from tests.benchmarks.workbench import Workbench
from tests.web_server import WORKER, web_server

LIMIT = 20
USERS = 300
ROUNDS = 3
ROUND_SECONDS = 4.0
HALF_SECONDS = 10.0
AUDIENCE_SEED = 1
MOST_IN_A_ROUND = 10_000
"""More requests than a round can take."""
SWAPS = 3
SWAP_SECONDS = 6.0
AROUND_SWAP_SECONDS = 2.0
BARE, PERSONAL, SIMILAR, TRENDING = "bare view", "personalised", "similar", "trending"
SHARES = {PERSONAL: at_least(0.5), SIMILAR: at_least(0.85), TRENDING: at_least(0.85)}
"""Of the bare view's rate."""
TIMES_BARE = at_most(5.0)
"""99th percentile at half the rate of saturation, against the bare view's at half of its own."""
SPIKE = at_most(2.0)


def run(bench: Workbench) -> Iterator[Row]:
    """Measure rates, latencies and what a swap of the model adds."""
    data = films.folder()
    if data is None:
        yield Row(name="load: personalised", value=None, unit="requests/s", note=films.MISSING)
        return
    import_dataset(data, progress=bench.tell)
    rebuilt = rebuild("benchmark", force=True, progress=bench.step)
    if not rebuilt.published:
        raise AssertionError(f"the rebuild was not published: {'; '.join(rebuilt.reasons)}")
    popularity.refresh()
    server, clients = processors()
    key = api_keys.create("benchmark", ["read"])
    with (
        web_server(bench.folder, urls="tests.benchmarks.load_urls", processors=server) as port,
        load_generator(port, key, clients) as load,
    ):
        calls = Calls(names("interactions_userprofile", "user_id")[:USERS], names("catalog_item", "item_id"))
        bench.step("warming up")
        warm_up(port, key, calls)
        rates = yield from _rates(bench, load, calls)
        yield from _latencies(bench, load, calls, rates)
        yield from _swaps(bench, load, calls, rates[PERSONAL] / 2)


def processors() -> tuple[set[int], set[int]]:
    """Return where the server runs and where those who ask do; the same where there is only one."""
    available = sorted(os.sched_getaffinity(0))
    return {available[0]}, {available[-1]}


class Calls:
    """Requests by kind."""

    def __init__(self, users: list[str], items: list[str]) -> None:
        self.users = users
        chosen = items[:: max(len(items) // 50, 1)][:50]
        self._kept = {
            BARE: [Call("/bare")],
            SIMILAR: [Call(f"/api/v1/similar/{item}?limit={LIMIT}") for item in chosen],
            TRENDING: [Call(f"{list_of(user)}&type=trending") for user in users[:20]],
        }
        self._personal = _never_the_same(users, items)

    def of(self, kind: str) -> list[Call]:
        """Return what to ask in one round."""
        if kind == PERSONAL:
            return list(itertools.islice(self._personal, MOST_IN_A_ROUND))
        return self._kept[kind]


def _never_the_same(users: list[str], items: list[str]) -> Iterator[Call]:
    """Yield personalised requests without end, of users as often as they come; who comes again leaves out another item.

    One item in another place is another request, and hardly another list.
    """
    audience = Audience(len(users), 1, seed=AUDIENCE_SEED)
    left_out = [itertools.cycle(items) for _ in users]
    while True:
        for person in audience.visitors(MOST_IN_A_ROUND).tolist():
            yield Call(f"{list_of(users[person])}&exclude={next(left_out[person])}")


def warm_up(port: int, key: str, calls: Calls) -> None:
    """Ask for every user once, so that his features are in Redis, then let the bare view answer as much as a list."""
    answer = ask_in_turn(port, key, [Call(list_of(user)) for user in calls.users])[0]
    if answer["fallback"] or len(answer["recommendations"]) != LIMIT:
        raise AssertionError(f"user {calls.users[0]} was not answered by the pipeline: {answer['fallback_reason']}")
    answer_bare(answer)


def list_of(user: str) -> str:
    """Return the address of a user's list."""
    return f"/api/v1/recommendations/{user}?limit={LIMIT}"


def names(table: str, column: str) -> list[str]:
    """Return the external ids of a table, in the order of their primary keys."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} ORDER BY id LIMIT 20000")
        return [row[0] for row in cursor.fetchall()]


def at_saturation(load: LoadGenerator, calls: list[Call]) -> tuple[Outcome, float]:
    """Ask as fast as is answered; return what came back, and the milliseconds of processor that the workers took each.

    The second is what a busy machine does not change.
    """
    workers = descendants(WORKER)
    before = processor_seconds(workers)
    outcome = load.drive(calls, seconds=ROUND_SECONDS)
    return outcome, 1000 * (processor_seconds(workers) - before) / len(outcome.seconds)


def _rates(bench: Workbench, load: LoadGenerator, calls: Calls) -> Generator[Row, None, dict[str, float]]:
    kinds = (BARE, PERSONAL, SIMILAR, TRENDING)
    found: dict[str, list[Outcome]] = {kind: [] for kind in kinds}
    spent: dict[str, list[float]] = {kind: [] for kind in kinds}
    for number, kind in enumerate(kinds * ROUNDS):
        outcome, milliseconds_each = at_saturation(load, calls.of(kind))
        found[kind].append(outcome)
        spent[kind].append(milliseconds_each)
        bench.tell("at saturation", number + 1, ROUNDS * len(kinds))
    rates = {kind: max(outcome.rate for outcome in outcomes) for kind, outcomes in found.items()}
    charts.bars(bench.charts / "load.svg", "One web process on one core", "requests a second", rates)
    for kind in kinds:
        note = f"{min(spent[kind]):.2f} ms of the core each"
        yield Row(name=f"load: {kind}", value=rates[kind], unit="requests/s", note=note)
    for kind, target in SHARES.items():
        share = rates[kind] / rates[BARE]
        yield Row(name=f"load: {kind}, share of the bare view's rate", value=share, unit="×", target=target)
    return rates


def _latencies(bench: Workbench, load: LoadGenerator, calls: Calls, rates: dict[str, float]) -> Iterator[Row]:
    """Yield percentiles at half of each kind's rate; the quieter of two rounds counts."""
    tails: dict[str, float] = {}
    for kind, rate in rates.items():
        bench.step(f"{kind} at half its rate")
        rounds = [load.drive(calls.of(kind), seconds=HALF_SECONDS, rate=rate / 2) for _ in range(2)]
        quiet = min(rounds, key=lambda outcome: outcome.percentile(99))
        tails[kind] = quiet.percentile(99)
        yield from milliseconds(f"load: {kind} at half its rate", quiet.seconds.tolist())
    for kind in SHARES:
        times = tails[kind] / tails[BARE]
        yield Row(name=f"load: {kind} p99, times the bare view's", value=times, unit="×", target=TIMES_BARE)


def _swaps(bench: Workbench, load: LoadGenerator, calls: Calls, rate: float) -> Iterator[Row]:
    """Publish versions under load; compare the slowest answer about then with the others' 99th percentile."""
    bench.step("swapping models under load")
    driven = load.start(calls.of(PERSONAL), seconds=SWAP_SECONDS * (SWAPS + 1), rate=rate)
    published = []
    for _ in range(SWAPS):
        time.sleep(SWAP_SECONDS)
        publish_again()
        published.append(time.monotonic())
    outcome = driven.result()
    yield Row(name="load: requests lost to a swap", value=len(outcome.failed), unit="", target=at_most(0))
    since = outcome.due[:, None] - np.array(published)
    near = ((since > -AROUND_SWAP_SECONDS / 2) & (since < AROUND_SWAP_SECONDS)).any(axis=1)
    usual = float(np.percentile(outcome.seconds[~near], 99))
    yield Row(name="load: p99 away from swaps", value=usual * 1000, unit="ms")
    note = f"slowest away from them {outcome.seconds[~near].max() * 1000:.0f} ms"
    slowest = float(outcome.seconds[near].max())
    yield Row(name="load: slowest about a swap", value=slowest * 1000, unit="ms", note=note)
    yield Row(name="load: slowest about a swap, times the p99", value=slowest / usual, unit="×", target=SPIKE)
