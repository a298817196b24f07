"""What the report of a large experiment takes: ten million impressions in a million lists, of 200,000 users.

Written by SQL alone, as the writers would have left them; half of the users are in either variant, and one list in ten
leads to a "watch". The report has a share of users and a mean, of both of which the history is taken out (CUPED).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from catalog.models import Item
from experiments import lifecycle
from experiments.analysis.report import report
from experiments.models import Experiment, Metric, Phase, Variant
from tests.benchmarks.figures import Row, at_most
from tests.benchmarks.measured_processes import peak_bytes
from tests.benchmarks.workbench import Workbench

USERS, LISTS, PLACES = 200_000, 1_000_000, 10
WATCHED = 10
"""One list in so many."""
MB = 1_000_000

_PEOPLE = """
    INSERT INTO interactions_userprofile (user_id, country, preferences, consent, created_at)
    SELECT 'user-' || n, '', '{}', 'granted', now() FROM generate_series(0, %(users)s - 1) n
"""
_EXPOSURES = """
    INSERT INTO experiments_exposure (experiment_id, phase, unit, variant, exposed_at)
    SELECT %(experiment)s, 1, 'user-' || n, (ARRAY['control', 'other'])[n %% 2 + 1], %(since)s
    FROM generate_series(0, %(users)s - 1) n
"""
_IMPRESSIONS = """
    INSERT INTO interactions_impression (shown_at, request_id, user_id, item_id, placement, position, source,
        model_version, rules_version, experiment_id, phase, variant, propensity)
    SELECT %(since)s::timestamptz + list * interval '1 second', md5(list::text)::uuid, 'user-' || list %% %(users)s,
        %(item)s, 'homepage', place, 'popular', 'v1', 1, 'large', 1,
        (ARRAY['control', 'other'])[list %% %(users)s %% 2 + 1], 1
    FROM generate_series(%(first)s, %(last)s - 1) list, generate_series(0, %(places)s - 1) place
"""
_EVENTS = """
    INSERT INTO interactions_event (event_id, occurred_at, user_id, item_id, event_type_id, request_id, received_at)
    SELECT md5('event' || list)::uuid, %(since)s::timestamptz + list * interval '1 second' + interval '1 minute',
        profile.id, %(item)s, (SELECT id FROM interactions_eventtype WHERE name = 'watch'), md5(list::text)::uuid, now()
    FROM generate_series(0, %(lists)s - 1, %(watched)s) list
    JOIN interactions_userprofile profile ON profile.user_id = 'user-' || list %% %(users)s
"""
BATCHES = 20


def run(bench: Workbench) -> Iterator[Row]:
    """Write the experiment, then read its report."""
    # A second a list: eleven days and a half.
    since = timezone.now() - timedelta(days=12)
    experiment = _started(since)
    item = Item.objects.create(item_id="film", title="Film")
    asked = {
        "users": USERS, "lists": LISTS, "places": PLACES, "watched": WATCHED, "since": since, "item": item.pk,
        "experiment": experiment.pk,
    }  # fmt: skip
    with connection.cursor() as cursor:
        for statement in (_PEOPLE, _EXPOSURES, _EVENTS):
            cursor.execute(statement, asked)
        for batch in range(BATCHES):
            first, last = batch * LISTS // BATCHES, (batch + 1) * LISTS // BATCHES
            cursor.execute(_IMPRESSIONS, asked | {"first": first, "last": last})
            bench.tell("impressions", last * PLACES, LISTS * PLACES)
        cursor.execute("ANALYZE")
        cursor.execute("SELECT pg_backend_pid()")
        [backend] = cursor.fetchone()
    bench.step("analysing")
    before = peak_bytes()
    started = time.perf_counter()
    found = report(experiment.experiment_id)
    seconds = time.perf_counter() - started
    if sum(arm.users for arm in found.arms) != USERS:
        raise AssertionError(f"{found.arms} are not the {USERS:,} users that were written")
    name = f"analysis: report of {LISTS * PLACES / 1e6:.0f}M impressions, {USERS:,} users"
    yield Row(name=name, value=seconds, unit="s", target=at_most(30))
    added, of_postgres = (peak_bytes() - before) / MB, peak_bytes(backend) / MB
    yield Row(name="analysis: memory it adds to Python", value=added, unit="MB", target=at_most(1000))
    yield Row(name="analysis: peak of the Postgres process", value=of_postgres, unit="MB", target=at_most(1000))


def _started(since: object) -> Experiment:
    share = Metric.objects.create(name="watch-through", event_type="watch")
    mean = Metric.objects.create(name="watches", event_type="watch", kind=Metric.Kind.MEAN)
    experiment: Experiment = Experiment.objects.create(
        experiment_id="large", name="Large", placement="homepage", primary_metric=share, lookback_days=14
    )
    experiment.guardrails.add(mean)
    for position, name in enumerate(("control", "other")):
        Variant.objects.create(experiment=experiment, name=name, position=position)
    lifecycle.start(experiment.experiment_id)
    Experiment.objects.filter(pk=experiment.pk).update(started_at=since)
    Phase.objects.filter(experiment=experiment).update(started_at=since)
    experiment.refresh_from_db()
    return experiment
