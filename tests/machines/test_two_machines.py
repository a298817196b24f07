"""Two machines with disks of their own share Postgres, Redis and an object store, and are one site to its visitors."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from moto.server import ThreadedMotoServer

from recsite.local_services.server import wait_until
from tests.chaos import template
from tests.chaos.ledger import Ledger, events
from tests.chaos.serving_probe import ServingProbe
from tests.chaos.site import own_folder
from tests.machines.machine import Hub, Machine
from tests.machines.network import Network, network

pytestmark = pytest.mark.long

PATIENCE_SECONDS = 60.0
DECIDE = """
import django; django.setup()
from experiments import lifecycle
from experiments.models import Experiment, Metric, Variant
from tests.recommender.rule_writing import published
metric = Metric.objects.create(name="watches", event_type="watch")
experiment = Experiment.objects.create(
    experiment_id="rows", name="Rows", placement="homepage", primary_metric=metric)
for position, name in enumerate(("control", "treatment")):
    Variant.objects.create(experiment=experiment, name=name, position=position)
lifecycle.start("rows")
published("hide", items=["film-3", "film-4", "film-5"])
"""


class Cluster(NamedTuple):
    """Two machines and what they share."""

    hub: Hub
    one: Machine
    other: Machine


@pytest.fixture(scope="module")
def lines() -> Iterator[Network]:
    with network(2) as laid:
        yield laid


@pytest.fixture(scope="module")
def template_folder(lines: Network) -> Iterator[Path]:
    with own_folder() as folder:
        template.make(folder)
        yield folder


@pytest.fixture(scope="module")
def cluster(lines: Network, template_folder: Path) -> Iterator[Cluster]:
    """Both serve a model that one of them has made."""
    with s3(lines.hub) as store, own_folder() as folder:
        template.copy(template_folder, folder)
        hub = Hub(folder, lines.hub, store)
        found = Cluster(hub, *(Machine(folder / link.namespace, link, hub) for link in lines.links))
        try:
            hub.open_postgres()
            hub.start_server(hub.postgres)
            hub.start_server(hub.valkey)
            for machine in found[1:]:
                machine.folder.mkdir()
            publish(found.one)
            for machine in found[1:]:
                machine.start_web()
            yield found
        finally:
            for machine in found[1:]:
                machine.stop()
            hub.stop()


@contextmanager
def s3(address: str) -> Iterator[str]:
    """Run a server that speaks S3, with a bucket; its address."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address=address, port=0, verbose=False)
    server.start()
    try:
        _, port = server.get_host_and_port()
        import boto3

        client = boto3.client(
            "s3", endpoint_url=f"http://{address}:{port}", aws_access_key_id="any", aws_secret_access_key="any",
            region_name="us-east-1",
        )  # fmt: skip
        client.create_bucket(Bucket="recsite")
        yield f"http://{address}:{port}"
    finally:
        server.stop()


def publish(machine: Machine) -> str:
    """Make and publish a model on one machine; return its name."""
    machine.manage("rebuild_models", "--force")
    [[name]] = machine.sql(
        "SELECT v.name FROM recommender_activemodel a JOIN recommender_modelversion v ON v.id = a.version_id"
    )
    return str(name)


def soon(machine: Machine, version: str) -> bool:
    """Return whether the machine comes to serve a version."""
    return wait_until(lambda: machine.version_served() == version, PATIENCE_SECONDS)


def shown(machine: Machine, user: str) -> list[str]:
    """Return the items of somebody's list."""
    return [item["item_id"] for item in machine.list_for(user)["recommendations"]]


def test_what_one_publishes_both_serve_from_their_own_disks(cluster: Cluster) -> None:
    _, one, other = cluster
    with ServingProbe(one) as here, ServingProbe(other) as there:
        name = publish(one)
        assert soon(one, name)
        assert soon(other, name)
    assert (here.errors, there.errors) == ([], [])
    assert one.models != other.models
    assert one.versions_on_disk() & other.versions_on_disk()
    for number in range(20):
        assert shown(one, f"user-{number}") == shown(other, f"user-{number}")


def test_rules_and_experiments_are_decided_alike(cluster: Cluster) -> None:
    _, one, other = cluster
    before = {user: shown(one, user) for user in map("user-{}".format, range(40))}
    assert any(set(items) & {"film-3", "film-4", "film-5"} for items in before.values())
    one.python("-c", DECIDE)
    said = {}
    for machine in (one, other):
        lists = {user: machine.list_for(user, "&context=homepage") for user in before}
        assert {document["experiment_id"] for document in lists.values()} == {"rows"}
        items = {item["item_id"] for document in lists.values() for item in document["recommendations"]}
        assert not items & {"film-3", "film-4", "film-5"}
        said[machine] = {user: document["variant"] for user, document in lists.items()}
    assert said[one] == said[other]
    assert set(said[one].values()) == {"control", "treatment"}


def test_one_dies_and_nothing_is_lost(cluster: Cluster) -> None:
    """Also not what somebody did there a moment before."""
    _, one, other = cluster
    with ServingProbe(other) as probe:
        with Ledger(one) as ledger:
            ledger.wait_for(200)
            watched = shown(other, "ann-of-both")[0]
            [event] = events(1)
            event |= {"user_id": "ann-of-both", "item_id": watched, "event_type": "watch"}
            assert one.ask("POST", "/api/v1/events", event)[0] == 202
            one.running["web"].kill()
            assert wait_until(lambda: bool(ledger.refusals), 10)
            # Its visitors are sent to the other one.
            one.host, one.port, own = other.host, other.port, (one.host, one.port)
            ledger.wait_for(200)
        assert watched not in shown(other, "ann-of-both")
    balance = ledger.balance()
    assert (balance.lost, balance.doubled, probe.errors) == (0, 0, [])
    one.host, one.port = own
    one.start_web()


def test_one_that_is_cut_off_serves_what_it_has_and_says_so(cluster: Cluster) -> None:
    _, one, other = cluster
    held = other.version_served()
    with ServingProbe(other) as probe:
        other.link.cut()
        try:
            published = publish(one)
            assert published != held
            assert soon(one, published)
            assert other.version_served() in (held, None)
            status, document, _ = other.ask("GET", "/readyz")
            assert (status, document["status"]) == (200, "degraded")
            assert {"postgres", "redis"} <= set(document["degraded"])
            status, _, headers = other.ask("POST", "/api/v1/events", events(1)[0])
            assert status == 503
            assert "retry-after" in {name.lower() for name in headers}
        finally:
            other.link.mend()
        assert soon(other, published)
    assert probe.errors == []
    assert other.ask("POST", "/api/v1/events", events(1)[0])[0] == 202
    assert other.is_ready()
