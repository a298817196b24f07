"""Whether experiments can be believed, and what an assignment costs.

A thousand experiments without any effect, from simulated people to the report by the same doors as real ones
(`tests.experiments.nothing_to_find`); four thousand looked at fifty times; ten running experiments asked for a user.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np

from experiments.assignment import RunningExperiment, assign_first, prepare
from tests.benchmarks.figures import Row, at_least, at_most
from tests.benchmarks.workbench import Workbench
from tests.experiments.nothing_to_find import chance_to_be_uniform, found_by_peeking, p_values_of_nothing

EXPERIMENTS, PEOPLE = 1_000, 80
RUNS = 4_000
USERS = 5_000
ROUNDS = 5
MICROSECONDS = 1e6


def run(bench: Workbench) -> Iterator[Row]:
    """Measure."""
    yield from _assignments()
    bench.step("looking fifty times")
    fixed, sequential = found_by_peeking(runs=RUNS)
    yield Row(name="experiments: found by 50 looks at nothing, fixed test", value=100 * fixed, unit="%")
    yield Row(
        name="experiments: found by 50 looks at nothing, sequential",
        value=100 * sequential,
        unit="%",
        target=at_most(5),
    )
    at_once, always = p_values_of_nothing(
        experiments=EXPERIMENTS, people=PEOPLE, tell=lambda done, total: bench.tell("experiments", done, total)
    )
    share = 100 * float(np.mean(at_once < 0.05))
    yield Row(name=f"experiments: {EXPERIMENTS:,} without effect found at 0.05", value=share, unit="%")
    yield Row(name="experiments: the same, away from 5 %", value=abs(share - 5), unit="points", target=at_most(2))
    yield Row(
        name="experiments: the same, by the sequential test",
        value=100 * float(np.mean(always < 0.05)),
        unit="%",
        target=at_most(5),
    )
    yield Row(
        name="experiments: Kolmogorov-Smirnov p that p-values are uniform",
        value=chance_to_be_uniform(at_once),
        unit="",
        target=at_least(0.001),
    )


def _assignments() -> Iterator[Row]:
    layered = _ten(coverage=1.0, part=lambda number: (number / 10, (number + 1) / 10))
    for name, running in (
        ("ten experiments of a layer", layered),
        ("ten that do not take him", _ten(coverage=0.0001)),
    ):
        new, again = _seconds(running)
        target = at_most(5)
        yield Row(name=f"experiments: assign, {name}, new user", value=new * MICROSECONDS, unit="µs", target=target)
        yield Row(name=f"experiments: assign, {name}, again", value=again * MICROSECONDS, unit="µs", target=target)


def _ten(*, coverage: float, part: Callable[[int], tuple[float, float]] | None = None) -> tuple[RunningExperiment, ...]:
    return tuple(
        prepare(
            experiment_id=f"experiment-{number}",
            phase=1,
            placement="homepage",
            coverage=coverage,
            weights=[("control", 1.0), ("other", 1.0)],
            configurations={"control": {}, "other": {}},
            layer="layer" if part else "",
            layer_range=part(number) if part else (0.0, 1.0),
        )
        for number in range(10)
    )


def _seconds(running: tuple[RunningExperiment, ...]) -> tuple[float, float]:
    """Return the processor seconds of one call for a user never seen, and for one seen before; the best of ROUNDS."""
    found = []
    for number in range(ROUNDS):
        users = [f"user_{number}_{user:05d}" for user in range(USERS)]
        for _ in range(2):
            started = time.process_time()
            for user in users:
                assign_first(user, running, "homepage")
            found.append((time.process_time() - started) / USERS)
    return min(found[::2]), min(found[1::2])
