"""Experiments without any effect, from simulated people to the report, through the same doors as real ones.

`interactions.responses` people → `assignment.assign_first` → impressions and exposures by the stream and its writer →
events by `interactions.recording` → `analysis.report`. All people are in every experiment, each of which has a
placement of its own; what they choose never depends on the variant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray
from scipy.special import kolmogorov

from catalog.models import Item
from experiments import lifecycle, queries
from experiments.analysis.report import report
from experiments.analysis.sample import Sample
from experiments.analysis.sequential import always_valid
from experiments.analysis.welch import compare
from experiments.assignment import RunningExperiment, assign_first
from experiments.exposure import record_first
from experiments.models import Experiment, Metric, Variant
from interactions import impressions, recording
from interactions.contracts import EventInput, ServedItem, ServedList
from interactions.models import UserProfile
from interactions.responses import Audience, Temperament

FloatArray = NDArray[np.float64]

ITEMS, PLACES = 20, 5
TOGETHER = 50
"""Experiments that run at the same time."""
BATCH = 1_000


def p_values_of_nothing(
    *, experiments: int, people: int, seed: int = 11, tell: Callable[[int, int], None] = lambda *_: None
) -> tuple[FloatArray, FloatArray]:
    """Return (experiments,) p-values of one look, and those valid at every look.

    The metric is the mean time that a person watches: what he chooses of a list of five, minutes each.
    """
    items = Item.objects.bulk_create(Item(item_id=f"film-{n}", title=f"Film {n}") for n in range(ITEMS))
    metric = Metric.objects.create(name="minutes", event_type="watch", kind=Metric.Kind.MEAN)
    names = [f"person-{number}" for number in range(people)]
    UserProfile.objects.bulk_create(UserProfile(user_id=name) for name in names)
    # Of those who choose little too few would be in an arm for a t-test to be exact.
    audience = Audience(people, ITEMS, seed=seed, temperament=Temperament(inclination=0.0))
    random = np.random.default_rng(seed)
    fixed: list[float] = []
    always: list[float] = []
    for first in range(0, experiments, TOGETHER):
        ids = [f"nothing-{number}" for number in range(first, min(first + TOGETHER, experiments))]
        for experiment_id in ids:
            _start(experiment_id, metric)
        running = queries.load_running()
        assert [one.experiment_id for one in running] == ids
        happened = []
        for placement in ids:
            lists = []
            for person, name in enumerate(names):
                rows = random.choice(ITEMS, PLACES, replace=False)
                shown = _served(running, name, placement, [items[row] for row in rows])
                chosen = rows[audience.respond(person, rows)]
                happened += list(_watched(shown, [items[row] for row in chosen], random))
                lists.append(shown)
            impressions.record(lists, record_first)
            impressions.sender.flush()
        while impressions.write_pending(record_first):
            pass
        for at in range(0, len(happened), BATCH):
            assert {verdict.status for verdict in recording.record(happened[at : at + BATCH])} == {"accepted"}
        for experiment_id in ids:
            found = report(experiment_id)
            assert sum(arm.users for arm in found.arms) == people
            comparison = found.metrics[0].comparisons[0]
            fixed.append(comparison.absolute.p)
            always.append(comparison.absolute_always.p)
            lifecycle.stop(experiment_id)
        tell(len(fixed), experiments)
    return np.array(fixed), np.array(always)


def chance_to_be_uniform(p_values: FloatArray) -> float:
    """Return the p-value of Kolmogorov and Smirnov's test."""
    n = len(p_values)
    ordered, steps = np.sort(p_values), np.arange(n + 1) / n
    furthest = max((steps[1:] - ordered).max(), (ordered - steps[:-1]).max())
    return float(kolmogorov(furthest * n**0.5))


def _start(experiment_id: str, metric: Metric) -> None:
    experiment = Experiment.objects.create(
        experiment_id=experiment_id, name=experiment_id, placement=experiment_id, primary_metric=metric
    )
    Variant.objects.bulk_create(Variant(experiment=experiment, name=arm, position=at) for at, arm in enumerate("ab"))
    lifecycle.start(experiment_id)


def _served(running: tuple[RunningExperiment, ...], person: str, placement: str, items: list[Item]) -> ServedList:
    assignment = assign_first(person, running, placement)
    assert assignment is not None
    return ServedList(
        request_id=uuid4(),
        shown_at=timezone.now().timestamp(),
        user_id=person,
        placement=placement,
        model_version="v1",
        rules_version=1,
        experiment_id=assignment.experiment_id,
        phase=assignment.phase,
        variant=assignment.variant,
        items=tuple(
            ServedItem(item_pk=item.pk, position=position, source="popular") for position, item in enumerate(items)
        ),
    )


def _watched(shown: ServedList, items: list[Item], random: np.random.Generator) -> Iterator[EventInput]:
    for item in items:
        yield EventInput(
            user_id=shown.user_id,
            item_id=item.item_id,
            event_type="watch",
            value=float(random.gamma(2.0, 30.0)),
            occurred_at=timezone.now(),
            request_id=shown.request_id,
        )


def found_by_peeking(*, runs: int, looks: int = 50, users_a_look: int = 200, seed: int = 3) -> tuple[float, float]:
    """Return the shares of experiments without effect that some look finds significant at 0.05: by the fixed-horizon
    test, and by the one that is valid at every look.

    Values are normal; `users_a_look` more users an arm come before each look.
    """
    random = np.random.default_rng(seed)
    size = (runs, looks, 2)
    added = random.normal(scale=users_a_look**0.5, size=size)
    # Of so many normal values: their squares sum up to chi-square beside their mean's.
    squares = random.chisquare(users_a_look - 1, size=size) + added**2 / users_a_look
    totals, squares = added.cumsum(axis=1), squares.cumsum(axis=1)
    found = np.zeros((runs, 2), dtype=bool)
    for run in range(runs):
        for look in range(looks):
            control, treatment = (
                Sample(
                    n=(look + 1) * users_a_look,
                    total=float(totals[run, look, arm]),
                    total_squares=float(squares[run, look, arm]),
                )
                for arm in (0, 1)
            )
            found[run, 0] |= compare(control, treatment, relative=False).p < 0.05
            found[run, 1] |= always_valid(control, treatment, relative=False).p < 0.05
    fixed, sequential = found.mean(axis=0)
    return float(fixed), float(sequential)
