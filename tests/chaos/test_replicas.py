"""A streaming replica answers pages, while it is up to date and there; who has written reads what he wrote."""

from __future__ import annotations

import http.client

import psycopg

from recsite.local_services import account
from recsite.local_services.postgres import PORT, Postgres
from recsite.local_services.server import wait_until
from recsite.replicas import COOKIE
from tests.chaos.site import DATABASE, Site

LAG_SECONDS = 15
NEW = "Zebra"


class Replica:
    """A second Postgres that streams from the site's own."""

    def __init__(self, site: Site) -> None:
        self.server = Postgres(site.folder / "replica", site.folder / "run-replica")
        chosen = account.choose(site.folder, [self.server.program])
        chosen.own(self.server.directory)
        copied = chosen.run(
            [
                self.server.program.with_name("pg_basebackup"),
                *("--pgdata", self.server.directory, "--write-recovery-conf", "--checkpoint", "fast"),
                *("--host", site.postgres.run, "--port", str(PORT), "--username", "postgres"),
            ]
        )
        assert copied.returncode == 0, copied.stderr
        site.start_server(self.server)

    @property
    def url(self) -> str:
        return f"postgres://postgres@{str(self.server.run).replace('/', '%2F')}:{PORT}/{DATABASE}"

    def run(self, statement: str) -> object:
        with psycopg.connect(host=str(self.server.run), port=PORT, user="postgres", dbname=DATABASE) as connection:
            return connection.execute(statement).fetchall()[0][0]  # type: ignore[arg-type, index]


def finds(site: Site, *, cookie: str = "") -> bool:
    """Return whether the site's search shows NEW; it answers in any case."""
    connection = http.client.HTTPConnection(site.host, site.port, timeout=30)
    try:
        connection.request("GET", f"/search/?q={NEW}", headers={"Cookie": cookie} if cookie else {})
        answer = connection.getresponse()
        page = answer.read().decode()
        assert answer.status == 200, page[:500]
        return f"{NEW} the film" in page
    finally:
        connection.close()


def fault(site: Site) -> str | None:
    """Return what /readyz says of the replica."""
    degraded = site.ask("GET", "/readyz")[1]["degraded"]
    return degraded.get("replica1")


def test_a_replica_is_read_while_it_is_up_to_date(bare_site: Site) -> None:
    site = bare_site
    site.start_server(site.postgres)
    site.start_server(site.valkey)
    replica = Replica(site)
    try:
        site.start_beat()
        site.start_web(more={"REPLICA_URLS": replica.url, "REPLICA_LAG_SECONDS": str(LAG_SECONDS)})
        assert wait_until(lambda: fault(site) is None, 60), fault(site)

        # It stands still: visitors see what it has, he who has written what the primary has.
        replica.run("SELECT pg_wal_replay_pause()::text")
        item = {"title": f"{NEW} the film", "category": "Western", "published_at": "2020-01-01"}
        assert site.ask("PUT", "/api/v1/items/zebra", item)[0] in (200, 201)
        assert site.ask("GET", "/api/v1/items/zebra")[0] == 200
        assert not finds(site)
        assert finds(site, cookie=f"{COOKIE}=1")

        # It has stood still for too long.
        assert wait_until(lambda: finds(site), 2 * LAG_SECONDS + 10)
        assert "s behind" in str(fault(site))
        assert 'recsite_replica_read{replica="replica1"} 0.0' in _metrics(site)

        replica.run("SELECT pg_wal_replay_resume()::text")
        assert wait_until(lambda: fault(site) is None, 60), fault(site)
        assert 'recsite_replica_read{replica="replica1"} 1.0' in _metrics(site)
        assert finds(site)

        # It dies, and each page is answered; it comes back.
        site.kill_server(replica.server)
        assert all(finds(site) for _ in range(20))
        assert wait_until(lambda: "cannot be asked" in str(fault(site)), 30), fault(site)
        site.start_server(replica.server)
        assert wait_until(lambda: fault(site) is None, 60), fault(site)
        assert replica.run("SELECT pg_is_in_recovery()") is True
    finally:
        replica.server.stop()


def _metrics(site: Site) -> str:
    connection = http.client.HTTPConnection(site.host, site.port, timeout=30)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()
    finally:
        connection.close()
