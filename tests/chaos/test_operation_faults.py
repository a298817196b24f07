"""Disks fill up, migrations are killed, people are erased and the whole site is restored, while it serves."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from recsite.local_services import account
from recsite.local_services.postgres import PORT
from recsite.local_services.server import wait_until
from tests.chaos.ledger import Ledger, events
from tests.chaos.report import Line
from tests.chaos.serving_probe import ServingProbe
from tests.chaos.site import DATABASE, Site
from tests.chaos.test_job_faults import JOBS, ask_for_a_rebuild, start_patched_worker

NEW_MOUNTS = 0x00020000


@pytest.mark.long
@pytest.mark.fault(24)
def test_disk_of_the_database_full(bare_site: Site, line: Line) -> None:
    """The tables' disk is full, the log's is not: events are refused, what was acknowledged is there."""
    site, aside = bare_site, bare_site.folder / "aside"
    data = site.postgres.directory
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() != 0 or libc.unshare(NEW_MOUNTS):
        pytest.skip("mounting a small disk needs root")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    shutil.move(data / "pg_wal", site.folder / "wal")
    data.rename(aside)
    data.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", data], check=True)
    try:
        subprocess.run(["cp", "-a", f"{aside}/.", data], check=True)
        (data / "pg_wal").symlink_to(site.folder / "wal")
        account.choose(site.folder, [site.postgres.program]).own(data)
        site.start_server(site.postgres)
        site.start_server(site.valkey)
        site.start_web()
        with ServingProbe(site) as probe, Ledger(site) as ledger:
            ledger.wait_for(100)
            # Postgres takes of it meanwhile: whoever comes last finds no room.
            with contextlib.suppress(OSError):
                (data / "filler").write_bytes(bytes(shutil.disk_usage(data).free))
            assert wait_until(lambda: bool(ledger.refusals), 60)
            probe.wait_for(60)
            (data / "filler").unlink()
            ledger.wait_for(100)
        line.notes.append(f"{shutil.disk_usage(data).total >> 20} MB disk")
        assert {status for status, *_ in ledger.refusals} <= {503, 507}
        assert all(retry_after for _, retry_after, _ in ledger.refusals)
        line.took(probe)
        line.balanced(ledger)
    finally:
        site.stop()
        subprocess.run(["umount", "-l", data], check=True)


@pytest.mark.long
@pytest.mark.fault(35)
def test_migration_killed_half_way(site: Site, line: Line) -> None:
    """An empty database is migrated by somebody who is killed again and again: in the end it is like any other."""
    site.sql("CREATE DATABASE half")
    more = {"DATABASE_URL": site.environment["DATABASE_URL"].replace(f"/{DATABASE}", "/half")}
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    killed = 0
    with ServingProbe(site, pause=0.2) as probe:
        for seconds in (4.0, 5.0, 6.0, 7.0, 9.0, 12.0):
            environment = site.environment | more
            migrating = subprocess.Popen(command, env=environment, cwd=Path(__file__).parents[2])
            time.sleep(seconds)
            killed += migrating.poll() is None
            migrating.send_signal(signal.SIGKILL)
            migrating.wait()
        site.manage("migrate", "--verbosity", "0", more=more)
    line.notes.append(f"killed {killed} times")
    assert killed
    assert schema_of(site, "half") == schema_of(site, DATABASE)
    line.took(probe)


def schema_of(site: Site, database: str) -> list[str]:
    """Return what pg_dump says of a database's tables, but partitions, which depend on the data."""
    dump = site.postgres._binary("pg_dump")
    command = [dump, "-h", site.postgres.run, "-p", str(PORT), "-U", "postgres", "--schema-only", "-d", database]
    command += ["--exclude-table=interactions_*_y*", "--restrict-key=same"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return sorted(line for line in said.splitlines() if line and not line.startswith("--"))


@pytest.mark.long
@pytest.mark.fault(37)
def test_maintenance_beside_ingest_and_export(site: Site, line: Line) -> None:
    """What clears old ids and makes partitions runs again and again while events come in and people are exported."""
    code = (
        "import django; django.setup()\nfrom interactions import tasks\nfor _ in range(20): tasks.maintain_partitions()"
    )
    with ServingProbe(site) as probe, Ledger(site) as ledger:
        site.python("-c", code)
        exported = site.ask("GET", "/api/v1/users/user-1")[1]
        probe.wait_for(10)
        ledger.wait_for(100)
    assert not ledger.refusals
    assert len(exported["events"]) == 9
    line.took(probe)
    line.balanced(ledger)


@pytest.mark.long
@pytest.mark.fault(38)
def test_erasure_during_training(site: Site, line: Line) -> None:
    """Somebody is erased while a model is trained of what he did: nothing anywhere names him afterwards."""
    who = "erased-somebody-77"
    ledger = Ledger(site)
    ledger.deliver([event | {"user_id": who} for event in events(30)])
    site.list_for(who)
    go_on = site.folder / "go_on"
    start_patched_worker(site, f"[time.sleep(.1) for _ in iter(lambda: os.path.exists({str(go_on)!r}), True)]")
    site.start_beat()
    with ServingProbe(site, pause=0.2) as probe:
        newest = ask_for_a_rebuild(site)
        assert wait_until(lambda: len(site.sql(JOBS, newest)) == 1, 90), site.said("slow")
        time.sleep(2)
        status, receipt, _ = site.ask("DELETE", f"/api/v1/users/{who}")
        assert (status, receipt["erased"]["events"]) == (200, 30)
        go_on.touch()
        assert wait_until(lambda: site.sql(JOBS, newest)[0][0] == "done", 180), site.said("slow")[-2000:]
    # The note by which processes drop what they hold of him, and the number of that in Redis, last a minute longer.
    assert wait_until(lambda: not places_of(site, who), 150), places_of(site, who)
    line.took(probe)


def places_of(site: Site, who: str) -> list[str]:
    """Return every table, Redis key and file that holds a text."""
    found = []
    for table, column in site.sql(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
    ):
        if site.sql(f'SELECT 1 FROM "{table}" WHERE "{column}"::text LIKE %s LIMIT 1', f"%{who}%"):
            found.append(f"{table}.{column}")
    for database in (0, 1):
        with site.redis(database) as client:
            held = [key for key in client.scan_iter() if who.encode() in key + (client.dump(key) or b"")]
            found += [f"Redis {key!r}" for key in held]
    for folder in (site.models, site.folder / "catalogue"):
        found += [str(path) for path in folder.rglob("*") if path.is_file() and who.encode() in path.read_bytes()]
    return found


@pytest.mark.long
@pytest.mark.fault(42)
def test_restored_from_a_backup(site: Site, line: Line) -> None:
    """A dump restored into an empty database has the same rows, and the rebuild makes the same model of them."""
    Ledger(site).deliver(events(200))
    site.manage("rebuild_models", "--force")
    before, arrays = checksums(site, DATABASE), sums_of(site.directory_of("v3"))
    began = time.monotonic()
    host = ["-h", str(site.postgres.run), "-p", str(PORT), "-U", "postgres"]
    dump = site.folder / "dump"
    subprocess.run([site.postgres._binary("pg_dump"), *host, "-Fc", "-f", dump, DATABASE], check=True)
    for running in site.running.values():
        running.stop()
    site.sql_elsewhere(f"DROP DATABASE {DATABASE} WITH (FORCE)", f"CREATE DATABASE {DATABASE}")
    subprocess.run([site.postgres._binary("pg_restore"), *host, "-d", DATABASE, dump], check=True)
    with site.redis() as client:
        client.flushall()
    site.start_web()
    line.notes.append(f"serves {time.monotonic() - began:.0f} s after the dump began")
    assert checksums(site, DATABASE) == before
    with ServingProbe(site) as probe:
        probe.wait_for(20)
    assert site.version_served() == "v3"
    site.manage("rebuild_models", "--force")
    assert sums_of(site.directory_of("v4")) == arrays
    line.took(probe)


def checksums(site: Site, database: str) -> dict[str, Any]:
    """Return rows and a checksum of each table."""
    tables = site.sql(
        "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace "
        "WHERE nspname = 'public' AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1"
    )
    # Keys note when they were used last.
    return {
        table: site.sql(f"SELECT count(*), sum(hashtextextended(t::text, 0)) FROM {table} t")
        for (table,) in tables
        if table != "recsite_apikey"
    }


def sums_of(directory: Path) -> dict[str, str]:
    """Return the SHA-256 of each array of a version."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in directory.glob("*.npy")}
