"""Events that come twice, late, early, out of order, at once, or from clocks that are wrong."""

from __future__ import annotations

import json
import random
import socket
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import uuid4

import pytest

from recsite.demo import programs
from tests.chaos.ledger import Ledger, events
from tests.chaos.report import Line
from tests.chaos.serving_probe import ServingProbe
from tests.chaos.site import Site


def at_once(site: Site, parts: Sequence[Sequence[Sequence[dict[str, Any]]]]) -> Ledger:
    """Deliver the batches of each part from a thread of its own."""
    ledger = Ledger(site)
    threads = [threading.Thread(target=lambda one=one: [ledger.deliver(batch) for batch in one]) for one in parts]  # type: ignore[misc]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger.sent = sorted(set(ledger.sent))
    return ledger


@pytest.fixture
def hospitable(bare_site: Site) -> Site:
    """A site that serves and lets eight large batches in at once; a usual one lets two in and has the others wait."""
    bare_site.start_server(bare_site.postgres)
    bare_site.start_server(bare_site.valkey)
    bare_site.start_web(more={"WEB_THREADS": "32"})
    return bare_site


@pytest.mark.long
@pytest.mark.fault(11)
def test_deadlocks(hospitable: Site, line: Line) -> None:
    """Eight senders of the same ids, each in an order of his own."""
    site = hospitable
    found = events(300)
    with ServingProbe(site) as probe:
        parts = [[random.sample(found, len(found)) for _ in range(5)] for _ in range(8)]
        ledger = at_once(site, parts)
    deadlocks = site.sql("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")[0][0]
    line.notes.append(f"{deadlocks} deadlocks")
    assert not ledger.refusals
    line.took(probe)
    line.balanced(ledger)


@pytest.mark.fault(28)
@pytest.mark.long
def test_duplicates_from_everywhere(hospitable: Site, line: Line) -> None:
    site = hospitable
    found = events(10_000)
    with ServingProbe(site) as probe:
        thrice = [random.sample(found, len(found)) for _ in range(3)]
        batches = [order[start : start + 500] for order in thrice for start in range(0, len(order), 500)]
        random.shuffle(batches)
        ledger = at_once(site, [batches[part::8] for part in range(8)])
    assert not ledger.refusals
    line.took(probe)
    line.balanced(ledger)
    batch = found[:10]
    # Twice in one request, 23 hours later, and with Redis emptied.
    for prepare in (
        lambda: None,
        lambda: site.sql("UPDATE interactions_eventkey SET received_at = received_at - interval '23 hours'"),
        lambda: site.redis().flushall(),
    ):
        prepare()
        status, document, _ = site.ask("POST", "/api/v1/events", {"events": [*batch, *batch]})
        assert (status, document["accepted"], document["duplicate"]) == (202, 0, 20)
    assert site.sql("SELECT count(*) FROM interactions_event WHERE event_id = ANY(%s::uuid[])", ledger.sent) == [
        (10_000,)
    ]


@pytest.mark.long
@pytest.mark.fault(29)
def test_same_id_other_payload(site: Site, line: Line) -> None:
    [event] = events(1)
    assert site.ask("POST", "/api/v1/events", event)[0] == 202
    status, document, _ = site.ask("POST", "/api/v1/events", event | {"item_id": "film-7"})
    assert (status, document["error"]["code"]) == (409, "id_conflict")
    status, document, _ = site.ask("POST", "/api/v1/events", {"events": [event | {"item_id": "film-7"}, *events(1)]})
    assert (status, document["accepted"], document["rejected"]) == (202, 1, 1)
    stored = site.sql(
        "SELECT i.item_id FROM interactions_event e JOIN catalog_item i ON i.id = e.item_id WHERE event_id = %s",
        event["event_id"],
    )
    assert stored == [(event["item_id"],)]
    line.acknowledged, line.stored = 2, 2


@pytest.mark.long
@pytest.mark.fault(27)
def test_events_of_the_future_and_of_long_ago(site: Site, line: Line) -> None:
    now = datetime.now(UTC)
    moments = {
        (now + timedelta(hours=25)).isoformat(): "rejected",
        (now + timedelta(minutes=10)).isoformat(): "accepted",
        (now - timedelta(days=3650)).isoformat(): "accepted",
        "9999-12-31T23:59:59Z": "rejected",
        now.replace(tzinfo=None).isoformat(): "rejected",
    }
    batch = [event | {"timestamp": moment} for event, moment in zip(events(len(moments)), moments, strict=True)]
    status, document, _ = site.ask("POST", "/api/v1/events", {"events": batch})
    assert status == 202
    assert [result["status"] for result in document["results"]] == list(moments.values())
    stored = dict(
        site.sql(
            "SELECT event_id::text, occurred_at FROM interactions_event WHERE event_id = ANY(%s::uuid[])",
            [event["event_id"] for event in batch],
        )
    )
    kept = {
        event["event_id"]: datetime.fromisoformat(event["timestamp"])
        for event, verdict in zip(batch, moments.values(), strict=True)
        if verdict == "accepted"
    }
    assert stored == kept
    line.acknowledged = line.stored = len(kept)


@pytest.mark.long
@pytest.mark.fault(30)
def test_events_out_of_order(site: Site, line: Line) -> None:
    """Whichever way four things one person did arrive, the history and the lists are the same."""
    now = datetime.now(UTC)
    seen = []
    for number, order in enumerate(permutations(range(4))):
        for step in order:
            event = {
                "event_id": str(uuid4()),
                "user_id": f"shuffled-{number}",
                "item_id": f"film-{3 * step}",
                "event_type": ("view", "click", "watch", "view")[step],
                "timestamp": (now - timedelta(minutes=9 - step)).isoformat(),
            }
            assert site.ask("POST", "/api/v1/events", event)[0] == 202
        document = site.list_for(f"shuffled-{number}", "&type=because_you_watched")
        seen.append([document["seed_item_id"], *(one["item_id"] for one in document["recommendations"][:3])])
    assert all(one == seen[0] for one in seen)
    line.acknowledged = line.stored = 96


@pytest.mark.long
@pytest.mark.fault(34)
def test_clients_that_hang_up_early(site: Site, line: Line) -> None:
    """The answer is lost, not the events; sent again they are duplicates."""
    ledger, found = Ledger(site), events(200)
    batches = [found[start : start + 20] for start in range(0, 200, 20)]
    with ServingProbe(site) as probe:
        for batch in batches:
            body = json.dumps({"events": batch}).encode()
            head = (
                f"POST /api/v1/events HTTP/1.1\r\nHost: {programs.HOST}\r\nAuthorization: Api-Key {site.key}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            with socket.create_connection((programs.HOST, site.port)) as client:
                client.sendall(head.encode() + body)
        for batch in batches:
            ledger.deliver(batch)
        probe.wait_for(10)
    line.took(probe)
    line.balanced(ledger)


@pytest.mark.long
@pytest.mark.fault(36)
def test_no_partition_for_the_month(site: Site, line: Line) -> None:
    """What found no partition is kept, told of, and moved by one command."""
    month = f"interactions_event_y{datetime.now(UTC):%Ym%m}"
    site.sql(f"DROP TABLE {month}")
    before = site.sql("SELECT count(*) FROM interactions_event")[0][0]
    ledger, batch = Ledger(site), events(50)
    with ServingProbe(site) as probe:
        ledger.deliver(batch)
        assert site.sql("SELECT count(*) FROM interactions_event_default") == [(50,)]
        assert "partitions" in site.ask("GET", "/readyz")[1]["degraded"]
        site.manage("repair_partitions")
        ledger.deliver(events(50))
    assert site.sql("SELECT count(*) FROM interactions_event_default") == [(0,)]
    assert site.sql("SELECT count(*) FROM interactions_event")[0][0] == before + 100
    assert site.sql(f"SELECT count(*) FROM {month}") == [(100,)]
    line.took(probe)
    line.balanced(ledger)


@pytest.mark.fault(31)
@pytest.mark.long
def test_replay_of_many_events_while_serving(site: Site, line: Line) -> None:
    """A hundred thousand events, twice, in batches of a thousand: the second time nothing is stored."""
    found = events(100_000, users=500)
    batches = [found[start : start + 1000] for start in range(0, len(found), 1000)]
    with ServingProbe(site) as quiet:
        quiet.wait_for(300)
    with ServingProbe(site) as probe:
        ledger = at_once(site, [batches])
        at_once(site, [batches])
    line.notes.append(
        f"p99 {1000 * quiet.percentile(0.99):.0f} ms before, {1000 * probe.percentile(0.99):.0f} ms while"
    )
    assert not ledger.refusals
    line.took(probe)
    line.balanced(ledger)


@pytest.mark.fault(26)
@pytest.mark.long
@pytest.mark.parametrize("hours", [48, -48])
def test_clock_of_the_web_two_days_off(bare_site: Site, line: Line, hours: int) -> None:
    site = bare_site
    site.start_server(site.postgres)
    site.start_server(site.valkey)
    site.start_web(application="tests.chaos.shifted_wsgi:application", more={"CLOCK_OFF_HOURS": str(hours)})
    ledger, batch = Ledger(site), events(20)
    with ServingProbe(site) as probe:
        probe.wait_for(50)
        ledger.sent = [event["event_id"] for event in batch]
        assert ledger.send(batch) == 202
        probe.wait_for(50)
    line.took(probe)
    received = "SELECT DISTINCT occurred_at FROM interactions_event WHERE event_id = ANY(%s::uuid[])"
    if hours > 0:
        line.balanced(ledger)
        assert site.sql(received, ledger.sent) == [(datetime.fromisoformat(batch[0]["timestamp"]),)]
    else:
        # By its own clock they are of the day after tomorrow: refused one by one, with the reason.
        assert not ledger.acknowledged
        assert site.sql(received, ledger.sent) == []
