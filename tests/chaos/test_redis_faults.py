"""Redis is stopped, hangs, is emptied, is full, and comes back empty: lists go on, nothing acknowledged is lost."""

from __future__ import annotations

import os
import shutil
import signal
import time

import pytest

from recsite.local_services.server import wait_until
from tests.chaos.ledger import Ledger, events
from tests.chaos.report import WAITED_SECONDS, Line
from tests.chaos.serving_probe import ServingProbe
from tests.chaos.site import Site, signal_all

RECOVERED_SECONDS = 60.0


@pytest.mark.long
@pytest.mark.fault(12)
def test_redis_stopped(site: Site, line: Line) -> None:
    with ServingProbe(site) as probe, Ledger(site) as ledger:
        ledger.wait_for(100)
        site.kill_server(site.valkey)
        probe.wait_for(60)
        ledger.wait_for(100)
        site.start_server(site.valkey)
        probe.wait_for(60)
        ledger.wait_for(100)
    assert not ledger.refusals
    line.took(probe)
    line.balanced(ledger)


@pytest.mark.long
@pytest.mark.fault(13)
def test_redis_hung(site: Site, line: Line) -> None:
    with Ledger(site) as ledger:
        ledger.wait_for(100)
        signal_all(site.valkey, signal.SIGSTOP)
        with ServingProbe(site) as probe:
            probe.wait_for(150)
        ledger.wait_for(100)
        signal_all(site.valkey, signal.SIGCONT)
        ledger.wait_for(100)
    assert not ledger.refusals
    # 0.2 s is waited for Redis once, then it is left alone.
    line.took(probe, within=WAITED_SECONDS)
    line.balanced(ledger)


@pytest.mark.long
@pytest.mark.fault(15)
def test_redis_full(site: Site, line: Line) -> None:
    with ServingProbe(site) as probe, Ledger(site) as ledger:
        ledger.wait_for(100)
        with site.redis() as client:
            client.config_set("maxmemory-policy", "noeviction")
            client.config_set("maxmemory", "1")
        probe.wait_for(60)
        ledger.wait_for(100)
        with site.redis() as client:
            client.config_set("maxmemory", "0")
        probe.wait_for(60)
    assert not ledger.refusals
    line.took(probe)
    line.balanced(ledger)


@pytest.mark.long
@pytest.mark.fault(14)
def test_redis_emptied(site: Site, line: Line) -> None:
    """What was asked for before is done within a minute, once; the person's history is what Postgres says."""
    site.start_worker()
    site.start_beat()
    with ServingProbe(site) as probe, Ledger(site) as ledger:
        ledger.wait_for(100)
        signal_all_workers(site, signal.SIGSTOP)
        [[job]] = site.sql(
            "INSERT INTO recommender_rebuildrequest (asked_at, publishes) VALUES (now(), true) RETURNING id"
        )
        with site.redis() as client:
            client.flushall()
        signal_all_workers(site, signal.SIGCONT)
        probe.wait_for(60)
        began = time.monotonic()
        taken = "SELECT count(*) FROM recommender_rebuildrequest WHERE id = %s AND job_id IS NOT NULL"
        assert wait_until(lambda: site.sql(taken, job) == [(1,)], RECOVERED_SECONDS), site.said("worker")[-3000:]
        line.notes.append(f"job taken after {time.monotonic() - began:.0f} s")
    line.took(probe)
    line.balanced(ledger)


def signal_all_workers(site: Site, sign: signal.Signals) -> None:
    """Stop or wake the worker and its child."""
    worker = site.running["worker"]
    for process in (worker.main, *worker.workers):
        os.kill(process, sign)


@pytest.mark.long
@pytest.mark.fault(16)
def test_redis_restarted_empty(site: Site, line: Line) -> None:
    """The worker takes tasks again without being started anew, and what it knew of people is filled in."""
    site.start_worker()
    site.start_beat()
    with ServingProbe(site) as probe, Ledger(site) as ledger:
        ledger.wait_for(100)
        site.kill_server(site.valkey)
        shutil.rmtree(site.valkey.directory)
        probe.wait_for(30)
        site.start_server(site.valkey)
        began = time.monotonic()
        done = site.said("worker").count("succeeded")
        assert wait_until(lambda: site.said("worker").count("succeeded") > done, RECOVERED_SECONDS)
        line.notes.append(f"worker at work again after {time.monotonic() - began:.0f} s")
        probe.wait_for(30)
        ledger.wait_for(100)
    line.took(probe)
    line.balanced(ledger)
    ledger.deliver(events(1))
