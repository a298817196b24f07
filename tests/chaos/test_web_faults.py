"""Web processes are killed and replaced while people look at lists and act."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from recsite.local_services.server import wait_until
from tests.chaos.ledger import Ledger, events
from tests.chaos.report import Line
from tests.chaos.serving_probe import ServingProbe
from tests.chaos.site import START_SECONDS, Site


@pytest.mark.long
@pytest.mark.fault(1)
@pytest.mark.parametrize("committed", [False, True], ids=["before the commit", "after it, unanswered"])
def test_web_worker_killed_in_an_ingest_request(site: Site, line: Line, committed: bool) -> None:
    """Whether its transaction had committed or not, the batch sent again is stored once."""
    ledger, batch = Ledger(site), events(20)
    web = site.running["web"]
    if committed:
        assert ledger.send(batch) == 202
        ledger.acknowledged.clear()
        (worker,) = web.workers
        os.kill(worker, signal.SIGKILL)
    else:
        with site.connect() as holder:
            holder.autocommit = False
            # The request's statement waits here until its process is dead.
            holder.execute("LOCK TABLE interactions_eventkey IN EXCLUSIVE MODE")
            (worker,) = web.workers
            sending = threading.Thread(target=ledger.send, args=[batch])
            sending.start()
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            assert wait_until(lambda: site.sql(waiting) == [(1,)], 10)
            os.kill(worker, signal.SIGKILL)
            sending.join()
            holder.rollback()
        assert [status for status, *_ in ledger.refusals] == [0]
    began = time.monotonic()
    assert wait_until(site.is_ready, START_SECONDS)
    line.notes.append(f"a new worker after {time.monotonic() - began:.1f} s")
    ledger.deliver(batch)
    with ServingProbe(site) as probe:
        probe.wait_for(10)
    line.took(probe)
    line.balanced(ledger)


@pytest.mark.long
@pytest.mark.fault(2)
def test_web_server_killed_under_load(site: Site, line: Line) -> None:
    """Whoever supervises it starts it again; the clients' retries lose nothing."""
    with Ledger(site) as ledger:
        ledger.wait_for(200)
        site.running["web"].kill()
        began = time.monotonic()
        site.start_web()
        line.notes.append(f"serves again after {time.monotonic() - began:.1f} s")
        with ServingProbe(site) as probe:
            probe.wait_for(100)
        ledger.wait_for(200)
    line.took(probe)
    line.balanced(ledger)


@pytest.mark.long
@pytest.mark.fault(41)
def test_deployment_under_load(bare_site: Site, line: Line) -> None:
    """SIGHUP replaces the web processes one after the other; nobody notices."""
    site = bare_site
    site.start_server(site.postgres)
    site.start_server(site.valkey)
    web = site.start_web(workers=2)
    with ServingProbe(site, threads=4) as probe, Ledger(site) as ledger:
        ledger.wait_for(100)
        before = set(web.workers)
        web.send(signal.SIGHUP)
        assert wait_until(lambda: len(web.workers) == 2 and not before & set(web.workers), START_SECONDS), site.said(
            "web"
        )
        probe.wait_for(200)
        ledger.wait_for(100)
    assert not ledger.refusals, (len(ledger.refusals), ledger.refusals[:3], site.said("web")[-3000:])
    line.took(probe)
    line.balanced(ledger)
