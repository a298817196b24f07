"""Postgres is killed, stopped, slow, hung, locked and full: lists go on, events are refused and come again."""

from __future__ import annotations

import signal
import time

import psycopg
import pytest

from tests.chaos.ledger import Ledger, events
from tests.chaos.report import WAITED_SECONDS, Line
from tests.chaos.serving_probe import ServingProbe
from tests.chaos.site import Site, signal_all


@pytest.mark.long
@pytest.mark.fault(6)
def test_postgres_killed_in_the_middle_of_batches(site: Site, line: Line) -> None:
    with ServingProbe(site) as probe, Ledger(site, threads=4) as ledger:
        for _ in range(3):
            ledger.wait_for(500)
            site.kill_server(site.postgres)
            probe.wait_for(20)
            site.start_server(site.postgres)
        ledger.wait_for(500)
    assert {status for status, *_ in ledger.refusals} == {503}
    assert all(retry_after for _, retry_after, _ in ledger.refusals)
    line.took(probe)
    line.balanced(ledger)


@pytest.mark.long
@pytest.mark.fault(7)
def test_postgres_stopped(site: Site, line: Line) -> None:
    with Ledger(site) as ledger:
        ledger.wait_for(100)
        with ServingProbe(site) as probe:
            site.postgres.stop()
            began = time.monotonic()
            while time.monotonic() < began + 60:
                probe.wait_for(10)
        site.start_server(site.postgres)
        ledger.wait_for(100)
    assert {status for status, *_ in ledger.refusals} == {503}
    line.took(probe, within=WAITED_SECONDS)
    line.balanced(ledger)


@pytest.mark.long
@pytest.mark.fault(8)
def test_postgres_hung(site: Site, line: Line) -> None:
    """Connections stay open and nothing is answered: no server-side limit helps."""
    with Ledger(site) as ledger:
        ledger.wait_for(100)
        site.list_for("user-1")
        signal_all(site.postgres, signal.SIGSTOP)
        with ServingProbe(site) as probe:
            began = time.monotonic()
            while time.monotonic() < began + 12:
                probe.wait_for(10)
        signal_all(site.postgres, signal.SIGCONT)
        ledger.wait_for(100)
    assert {status for status, *_ in ledger.refusals} == {503}
    line.notes.append(f"events refused within {max(seconds for *_, seconds in ledger.refusals):.1f} s")
    line.took(probe, within=WAITED_SECONDS)
    line.balanced(ledger)


@pytest.mark.long
@pytest.mark.fault(9)
def test_lock_held_on_events(site: Site, line: Line) -> None:
    with Ledger(site) as ledger:
        ledger.wait_for(100)
        with site.connect() as holder, ServingProbe(site) as probe:
            holder.autocommit = False
            holder.execute("LOCK TABLE interactions_event IN ACCESS EXCLUSIVE MODE")
            began = time.monotonic()
            while time.monotonic() < began + 6:
                probe.wait_for(10)
            holder.rollback()
        ledger.wait_for(100)
    assert {status for status, *_ in ledger.refusals} == {503}
    slowest = max(seconds for *_, seconds in ledger.refusals)
    line.notes.append(f"refused within {slowest:.1f} s")
    assert slowest < 4
    line.took(probe, within=WAITED_SECONDS)
    line.balanced(ledger)


@pytest.mark.long
@pytest.mark.fault(10)
def test_connections_exhausted(bare_site: Site, line: Line) -> None:
    site = bare_site
    site.configure_postgres(max_connections="20", superuser_reserved_connections="0")
    site.start_server(site.postgres)
    site.start_server(site.valkey)
    site.start_web()
    site.list_for()
    held = []
    try:
        while True:
            try:
                held.append(site.connect())
            except psycopg.OperationalError:
                break
        site.sql_on(
            held[0],
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> ALL(%s)",
            [one.info.backend_pid for one in held],
        )
        while True:
            try:
                held.append(site.connect())
            except psycopg.OperationalError:
                break
        ledger = Ledger(site)
        with ServingProbe(site) as probe:
            batch = events(5)
            assert ledger.send(batch) == 503
            assert ledger.refusals[0][2] < 2
            probe.wait_for(100)
    finally:
        for one in held:
            one.close()
    ledger.deliver(batch)
    line.took(probe, within=WAITED_SECONDS)
    line.balanced(ledger)
