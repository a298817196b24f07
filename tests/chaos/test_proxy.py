"""The proxy of compose.yaml in front of the site: what it lets through, and that nobody notices a deployment."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
from contextlib import suppress

import pytest

from recsite.environment import BASE_DIRECTORY
from recsite.local_services.server import wait_until
from tests.chaos.ledger import Ledger
from tests.chaos.serving_probe import ServingProbe
from tests.chaos.site import START_SECONDS, Site, free_port

CADDY = shutil.which("caddy")
FILE = BASE_DIRECTORY / "recsite/operations/Caddyfile"

pytestmark = pytest.mark.skipif(CADDY is None, reason="Caddy is not installed (Debian: caddy).")


@pytest.fixture
def site(bare_site: Site) -> Site:
    """A site with two web processes whose port is the proxy's."""
    bare_site.start_server(bare_site.postgres)
    bare_site.start_server(bare_site.valkey)
    bare_site.start_web(workers=2, more={"NUM_PROXIES": "1", "RATE_LIMITS": "address=50"})
    behind, bare_site.port = bare_site.port, free_port()
    adapted = bare_site.folder / "Caddyfile"
    # Its administration listens on a port of its own, which another test may have.
    adapted.write_text("{\n\tadmin off\n}\n" + FILE.read_text().replace("web:8000", f"{bare_site.host}:{behind}"))
    caddy = bare_site.start(
        "caddy",
        [str(CADDY), "run", "--config", str(adapted), "--adapter", "caddyfile"],
        {
            "SITE_NAME": f"http://{bare_site.host}:{bare_site.port}",
            "XDG_DATA_HOME": str(bare_site.folder),
            "XDG_CONFIG_HOME": str(bare_site.folder),
        },
    )
    assert wait_until(lambda: answers(bare_site) or caddy.ended, 30), bare_site.said("caddy")
    assert not caddy.ended, bare_site.said("caddy")
    return bare_site


def answers(site: Site) -> bool:
    with suppress(OSError, http.client.HTTPException):
        return status_of(site, "GET", "/livez") == 200
    return False


def status_of(site: Site, method: str, path: str, body: bytes | None = None, **headers: str) -> int:
    connection = http.client.HTTPConnection(site.host, site.port, timeout=30)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def test_the_proxy_lets_in_what_is_for_everybody(site: Site) -> None:
    assert site.list_for("user-1")["recommendations"]
    assert status_of(site, "GET", "/search/?q=Film") == 200
    assert [status_of(site, "GET", path) for path in ("/metrics", "/readyz")] == [404, 404]
    key = {"Authorization": f"Api-Key {site.key}", "Content_Type": "application/json"}
    # Caddy 2.6, which Debian has, calls it a bad gateway.
    assert status_of(site, "POST", "/api/v1/events", b" " * (21 << 20), **key) in (413, 502)


def test_nobody_gets_past_a_limit_by_naming_another_address(site: Site) -> None:
    """What a client says of itself is thrown away: a hundred addresses are one."""
    wrong = [
        status_of(site, "GET", "/api/v1/recommendations/ann", Authorization="Api-Key no", X_Forwarded_For=f"10.0.0.{n}")
        for n in range(100)
    ]
    assert set(wrong) == {401, 429}
    assert wrong[-1] == 429


def test_a_deployment_behind_the_proxy(site: Site) -> None:
    """SIGHUP replaces the web processes under load: each list and each batch is answered."""
    web = site.running["web"]
    with ServingProbe(site, threads=4) as probe, Ledger(site) as ledger:
        ledger.wait_for(100)
        before = set(web.workers)
        os.kill(web.main, signal.SIGHUP)
        assert wait_until(lambda: len(web.workers) == 2 and not before & set(web.workers), START_SECONDS)
        probe.wait_for(200)
        ledger.wait_for(100)
    assert probe.errors == []
    assert probe.retried == 0
    balance = ledger.balance()
    assert (balance.lost, balance.doubled) == (0, 0)
