"""Workers and beats are killed, stopped, doubled, late and poisoned: each job is done once, or kept with its reason."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import Any
from uuid import uuid4

import pytest

from recsite.local_services.server import wait_until
from tests.chaos.processes import Running
from tests.chaos.report import Line
from tests.chaos.serving_probe import ServingProbe
from tests.chaos.site import CELERY, DATABASE, START_SECONDS, Site

RECOVERED_SECONDS = 60.0
REBUILD_SECONDS = 180.0

# A worker whose training does something of the test's first.
WORKER = """
import os, resource, signal, sys, time
import django; django.setup()
from recommender import rebuilding
from recommender.registry import jobs
really_fit, really_claim = rebuilding.fit, jobs.claim
def fit(*arguments, **keywords):
    {first}
    return really_fit(*arguments, **keywords)
rebuilding.fit = fit
jobs.claim = lambda reason: really_claim(reason, seconds={lease})
from celery.__main__ import main
sys.argv = "celery --app recsite worker --concurrency 1 --loglevel INFO --hostname slow@test".split()
main()
"""
JOBS = "SELECT state, attempt, error FROM recommender_rebuildjob WHERE fencing_token > %s ORDER BY fencing_token"
VERSIONS = "SELECT count(*) FROM recommender_modelversion"


def start_patched_worker(site: Site, first: str, lease: float = 40.0) -> Running:
    code = WORKER.format(first=first, lease=lease)
    worker = site.start("slow", [sys.executable, "-c", code], {"DJANGO_SETTINGS_MODULE": "recsite.settings"})
    assert wait_until(lambda: " ready." in site.said("slow"), START_SECONDS), site.said("slow")
    return worker


def ask_for_a_rebuild(site: Site) -> int:
    """Return the newest fencing token before it."""
    [[newest]] = site.sql("SELECT coalesce(max(fencing_token), 0) FROM recommender_rebuildjob")
    site.sql("INSERT INTO recommender_rebuildrequest (asked_at, publishes) VALUES (now(), true)")
    return int(newest)


def send_to(running: Running, sign: signal.Signals) -> None:
    """Send a signal to a worker and its child."""
    for process in (*running.workers, running.main):
        os.kill(process, sign)


@pytest.mark.long
@pytest.mark.fault(4)
def test_training_worker_killed(site: Site, line: Line) -> None:
    worker = start_patched_worker(site, "time.sleep(600)")
    site.start_beat()
    before = site.sql(VERSIONS)[0][0]
    with ServingProbe(site, pause=0.2) as probe:
        newest = ask_for_a_rebuild(site)
        stage = "SELECT stage FROM recommender_rebuildjob WHERE fencing_token > %s"
        assert wait_until(lambda: site.sql(stage, newest) == [("reading",)], 90), site.said("slow")
        time.sleep(2)
        worker.kill()
        began = time.monotonic()
        site.start_worker()
        assert wait_until(lambda: len(site.sql(JOBS, newest)) == 2, RECOVERED_SECONDS), site.said("worker")[-2000:]
        line.notes.append(f"begun again {time.monotonic() - began:.0f} s after the kill")
        assert wait_until(lambda: site.sql(JOBS, newest)[-1][0] != "running", REBUILD_SECONDS), site.said("worker")[
            -2000:
        ]
    (_, first, _), (state, attempt, error) = site.sql(JOBS, newest)
    assert (first, attempt, state) == (1, 2, "done"), error
    assert site.sql(VERSIONS)[0][0] == before + 1
    assert not list(site.models.glob(".writing-*"))
    line.took(probe)


@pytest.mark.long
@pytest.mark.fault(41)
def test_training_worker_stopped(site: Site, line: Line) -> None:
    """SIGTERM: the rebuild under way is published before the worker ends, and nobody begins it again."""
    worker = start_patched_worker(site, "time.sleep(5)")
    site.start_beat()
    before = site.sql(VERSIONS)[0][0]
    with ServingProbe(site, pause=0.2) as probe:
        newest = ask_for_a_rebuild(site)
        assert wait_until(lambda: len(site.sql(JOBS, newest)) == 1, 90), site.said("slow")
        worker.send(signal.SIGTERM)
        began = time.monotonic()
        assert wait_until(lambda: worker.ended, REBUILD_SECONDS), site.said("slow")[-2000:]
        worker.stop()
        line.notes.append(f"the worker ended after {time.monotonic() - began:.0f} s")
        assert site.sql(JOBS, newest) == [("done", 1, "")]
        site.start_worker()
        time.sleep(25)
    assert site.sql(JOBS, newest) == [("done", 1, "")]
    assert site.sql(VERSIONS)[0][0] == before + 1
    line.took(probe)


@pytest.mark.long
@pytest.mark.fault(5)
def test_training_longer_than_its_lease(site: Site, line: Line) -> None:
    """A worker that stood still for longer than its lease goes on: another has published, and it is refused."""
    go_on = site.folder / "go_on"
    slow = start_patched_worker(
        site, f"[time.sleep(.1) for _ in iter(lambda: os.path.exists({str(go_on)!r}), True)]", lease=6
    )
    site.start_beat()
    before = site.sql(VERSIONS)[0][0]
    with ServingProbe(site, pause=0.2) as probe:
        newest = ask_for_a_rebuild(site)
        assert wait_until(lambda: len(site.sql(JOBS, newest)) == 1, 90), site.said("slow")
        time.sleep(2)
        send_to(slow, signal.SIGSTOP)
        site.start_worker()
        done = lambda: [state for state, *_ in site.sql(JOBS, newest)] == ["failed", "done"]  # noqa: E731
        assert wait_until(done, REBUILD_SECONDS), (site.sql(JOBS, newest), site.said("worker")[-2000:])
        go_on.touch()
        send_to(slow, signal.SIGCONT)
        assert wait_until(lambda: "LeaseLost" in site.said("slow"), REBUILD_SECONDS), site.said("slow")[-2000:]
    assert done()
    assert site.sql(VERSIONS)[0][0] == before + 1
    line.took(probe)


@pytest.mark.long
@pytest.mark.fault(17)
def test_two_beats(site: Site, line: Line) -> None:
    """Half a minute of both: what runs every five seconds is sent once each five seconds."""
    site.start_worker()
    slot = "write-impressions-every-five-seconds"
    runs = "SELECT total_run_count FROM django_celery_beat_periodictask WHERE name = %s"
    for name in ("beat", "other"):
        site.start_beat(name, {"PYTHONUNBUFFERED": "1", "CELERYBEAT": name})
    with ServingProbe(site, pause=0.2) as probe:
        [[first]], began = site.sql(runs, slot), time.monotonic()
        time.sleep(30)
        [[last]], seconds = site.sql(runs, slot), time.monotonic() - began
    sent = sum(site.said(name).count(f"Sending due task {slot}") for name in ("beat", "other"))
    line.notes.append(f"{last - first} runs in {seconds:.0f} s")
    assert 4 <= last - first <= seconds / 5 + 1
    assert sent <= last + 1
    line.took(probe)


@pytest.mark.long
@pytest.mark.fault(18)
def test_beat_dead_for_an_hour(site: Site, line: Line) -> None:
    """Six runs were missed of what runs every ten minutes: one makes up for them."""
    site.start_worker()
    site.start_beat()
    assert wait_until(lambda: "Sending due task" in site.said("beat"), 60)
    site.running["beat"].stop()
    site.sql("UPDATE django_celery_beat_periodictask SET last_run_at = now() - interval '1 hour'")
    mark = len(site.said("beat"))
    assert "beat" in site.ask("GET", "/readyz")[1]["degraded"]
    with ServingProbe(site, pause=0.2) as probe:
        site.start("beat", [*CELERY, "beat", "--loglevel", "INFO"])
        assert wait_until(lambda: "count-daily-figures" in site.said("beat")[mark:], 60), site.said("beat")[mark:]
        time.sleep(5)
    said = site.said("beat")[mark:]
    for name in ("count-daily-figures-every-ten-minutes", "measure-rule-effects-every-fifteen-minutes"):
        assert said.count(f"Sending due task {name}") == 1
    line.took(probe)


@pytest.mark.long
@pytest.mark.fault(39)
def test_worker_out_of_memory_in_training(site: Site, line: Line) -> None:
    """The kernel kills whoever trains, each time: after three attempts it is given up, with its reason."""
    start_patched_worker(site, "os.kill(os.getpid(), signal.SIGKILL)", lease=4)
    site.start_beat()
    with ServingProbe(site, pause=0.2) as probe:
        newest = ask_for_a_rebuild(site)
        given_up = lambda: [state for state, *_ in site.sql(JOBS, newest)] == ["failed"] * 3  # noqa: E731
        assert wait_until(given_up, REBUILD_SECONDS), (site.sql(JOBS, newest), site.said("slow")[-2000:])
        time.sleep(15)
    found = site.sql(JOBS, newest)
    assert [attempt for _, attempt, _ in found] == [1, 2, 3]
    assert "given up" in found[-1][2]
    assert site.version_served() == "v1"
    line.took(probe)


@pytest.mark.long
@pytest.mark.fault(39)
def test_memory_limit_in_training(site: Site, line: Line) -> None:
    """An allocation that is refused ends the job, which says so."""
    limit = "resource.setrlimit(resource.RLIMIT_AS, (1 << 20, -1)); bytearray(1 << 30)"
    start_patched_worker(site, limit)
    site.start_beat()
    with ServingProbe(site, pause=0.2) as probe:
        newest = ask_for_a_rebuild(site)
        failed = lambda: [state for state, *_ in site.sql(JOBS, newest)][:1] == ["failed"]  # noqa: E731
        assert wait_until(failed, 90), (site.sql(JOBS, newest), site.said("slow")[-2000:])
    assert "MemoryError" in site.sql(JOBS, newest)[0][2]
    assert site.version_served() == "v1"
    line.took(probe)


UNKNOWN_TASKS = """
from recsite.celery import app
app.send_task("no.such.task")
app.send_task("recommender.tasks.write_impressions", args=[1, 2, 3])
app.send_task("interactions.tasks.replay_dead_letters", args=[{"no": "list"}])
"""


@pytest.mark.long
@pytest.mark.fault(40)
def test_poison_among_lists_and_tasks(site: Site, line: Line) -> None:
    """What cannot be written is kept with its reason; the lists beside it are written, the worker goes on."""
    stream = f"recsite:{DATABASE}:impressions"
    with ServingProbe(site, pause=0.1) as probe:
        probe.wait_for(40)
        good = json.dumps(poison(str(uuid4()), 10**9)).encode()
        with site.redis() as client:
            client.xadd(stream, {"list": b"\xff not a list"})
            # It can be read, but names an item that is not there.
            client.xadd(stream, {"list": good})
        site.python("-c", UNKNOWN_TASKS)
        probe.wait_for(40)
        site.start_worker()
        site.start_beat()
        letters = "SELECT count(*) FROM interactions_deadletter WHERE source = 'impressions'"
        assert wait_until(lambda: site.sql(letters)[0][0] >= 1, 60), site.said("worker")[-2000:]
        written = "SELECT count(DISTINCT request_id) FROM interactions_impression"
        assert wait_until(lambda: site.sql(written)[0][0] >= 80, 30), site.said("worker")[-2000:]
    line.notes.append(f"{site.sql(letters)[0][0]} dead letters, {site.sql(written)[0][0]} lists written")
    line.took(probe)


def poison(request_id: str, item_pk: int) -> dict[str, Any]:
    return {
        "request_id": request_id,
        "shown_at": time.time(),
        "user_id": "user-1",
        "placement": "home\0page",
        "model_version": "v1",
        "rules_version": 1,
        "experiment_id": "",
        "phase": None,
        "variant": "",
        "items": [{"item_pk": item_pk, "position": 0, "source": "x", "propensity": 1.0, "variant": ""}],
    }
