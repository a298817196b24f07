"""The plan's arithmetic, worked out by hand, and that each of its costs is a row of the benchmarks."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from recsite import capacity
from recsite.capacity import Site, first_limit, plan
from tests.benchmarks.suite import BENCHMARKS

LARGE = Site(users=100_000_000, items=10_000_000, events_per_day=1_000_000_000, peak_qps=150_000)
SMALL = Site(users=10_000, items=1_000, events_per_day=100_000, peak_qps=5)


def test_a_large_site_by_hand() -> None:
    web, redis, kafka, postgres, training = plan(LARGE)
    # 0.0333 × 10 ** 0.11 = 0.0429 s for 70 % of the lists, 0.00113 s for the rest; 34,722 events a second at 41.8 µs.
    assert web.cores == pytest.approx(
        (150_000 * (0.7 * 0.0428985 + 0.3 * 0.00113) + 34_722.2 * 0.0000418) / 0.5, rel=1e-4
    )
    # 256 GB hold two models of 36 GB and more than 32 processes of 1.4 GB.
    assert (web.machines, web.limit) == (285, "processors")
    assert redis.memory_gb == pytest.approx(100e6 * 0.3 * 2_270 * 2 / 1e9)
    assert kafka.machines == 0
    # 50,000 lists a second in the mean, 20 items each, a week: 605 billion rows of 240 bytes, twice.
    shown = 50_000 * 86_400 * 20 * 7 * 240
    assert postgres.disk_tb == pytest.approx((shown + 1e9 * 90 * 192) * 2 / 1e12)
    # 34,722 events and 3,000,000 shown items a second, at half of 91,426 into each of two copies.
    assert (postgres.machines, postgres.limit) == (67 * 2, "rows written")
    assert training.memory_gb == pytest.approx(90e9 * 139 / 1e9)
    assert "sample the events" in training.note
    assert first_limit(plan(LARGE), LARGE.copies) == web


def test_a_small_site_needs_one_machine_of_each() -> None:
    tiers = plan(SMALL)
    assert {tier.name: tier.machines for tier in tiers} == {
        "web": 1, "redis": 1, "kafka": 0, "postgres": 2, "training": 1,
    }  # fmt: skip
    assert first_limit(tiers, SMALL.copies) is None


def test_a_model_that_fits_no_machine_is_told() -> None:
    web = plan(Site(users=1, items=100_000_000, events_per_day=1, peak_qps=1, memory_gb=64))[0]
    assert (web.machines, web.limit) == (0, "memory")
    assert "364 GB" in web.note or "365 GB" in web.note


@pytest.mark.parametrize("coefficient", capacity.COEFFICIENTS, ids=lambda one: one.row)
def test_each_cost_is_a_row_of_the_benchmarks(coefficient: capacity.Coefficient) -> None:
    suite, _, what = coefficient.row.partition(": ")
    modules = {"training": "training_growth", "memory": "growth"}
    name = modules.get(suite, suite)
    assert name in {benchmark.name for benchmark in BENCHMARKS}
    # Numbers are put into the names as they are made.
    stem = re.split(r"\d", what.split(", ")[-1])[0]
    sources = "".join(path.read_text() for path in Path("tests/benchmarks").glob("*.py"))
    assert stem in sources


def test_the_command_prints_what_is_assumed_and_where_costs_come_from() -> None:
    written = StringIO()
    call_command("plan", users=10_000, items=1_000, events_per_day=100_000, peak_qps=5.0, stdout=written)
    told = written.getvalue()
    assert "One machine of each holds it." in told
    assert "Assumed: repeated 0.3" in told
    for coefficient in capacity.COEFFICIENTS:
        assert coefficient.row in told


@pytest.mark.parametrize(("option", "value"), [("users", 0), ("repeated", 1.5), ("use", 0.0)])
def test_a_number_that_no_site_has_is_refused(option: str, value: float) -> None:
    given = {"users": 10, "items": 10, "events_per_day": 10, "peak_qps": 1.0, option: value}
    with pytest.raises(CommandError, match=option):
        call_command("plan", **given)
