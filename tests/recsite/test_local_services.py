"""The local servers, started for real in a folder of their own beside those that the other tests use."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from recsite import environment, local_services
from recsite.local_services import LocalServiceError, account
from recsite.local_services.postgres import Postgres
from recsite.local_services.valkey import Valkey


@pytest.fixture(scope="module")
def initialised() -> Iterator[Path]:
    """A folder with a cluster that was made once, after an attempt that was interrupted half-way."""
    folder = Path(tempfile.mkdtemp(prefix="recsite-"))
    folder.chmod(0o755)
    local = folder / ".local"
    with pytest.MonkeyPatch.context() as patch:
        _point_at(local, patch)
        (local / "pg.unfinished" / "base").mkdir(parents=True)
        with local_services.running():
            pass
    yield local
    shutil.rmtree(folder)


@pytest.fixture
def local(initialised: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder, with nothing running before and after the test."""
    _point_at(initialised, monkeypatch)
    yield initialised
    local_services.stop()


def _point_at(local: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(environment, "LOCAL_DIRECTORY", local)
    patch.setattr(environment, "LOCAL", True)
    patch.setattr(environment, "REDIS_URL", "")


def _connect() -> psycopg.Connection[tuple[object, ...]]:
    run = str(environment.local_run_directory())
    return psycopg.connect(host=run, port=5432, user="postgres", dbname="recsite", autocommit=True)


def _redis() -> redis.Redis:
    return redis.Redis(unix_socket_path=f"{environment.local_run_directory()}/valkey.sock")


def _main_processes(local: Path) -> list[int]:
    files = (local / "pg" / "postmaster.pid", local / "valkey" / "valkey.pid")
    return [int(file.read_text().split()[0]) for file in files]


def test_running_starts_both_and_stops_them(local: Path) -> None:
    with local_services.running():
        assert local_services.status() == {"Postgres": True, "Valkey": True}
    assert local_services.status() == {"Postgres": False, "Valkey": False}
    assert not (local / "pg.unfinished").exists()


def test_nothing_listens_on_tcp_and_nothing_is_lost_on_a_crash(local: Path) -> None:
    with local_services.running():
        with _connect() as connection:
            shown = [connection.execute(f"SHOW {name}").fetchone() for name in ("listen_addresses", "fsync")]
        with _redis() as client:
            configured = client.config_get("port") | client.config_get("appendonly") | client.config_get("maxmemory")
    assert shown == [("",), ("on",)]
    assert configured == {"port": "0", "appendonly": "yes", "maxmemory": "0"}


def test_the_last_one_out_stops_them(local: Path) -> None:
    with local_services.running():
        with local_services.running():
            pass
        assert local_services.status() == {"Postgres": True, "Valkey": True}
    assert local_services.status() == {"Postgres": False, "Valkey": False}


def test_a_killed_user_does_not_count(local: Path) -> None:
    code = f"""
import pathlib, time
from recsite import environment, local_services
environment.LOCAL_DIRECTORY = pathlib.Path({str(local)!r})
with local_services.running():
    print("up", flush=True)
    time.sleep(60)
"""
    clean = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=clean) as user:
        assert user.stdout is not None
        assert user.stdout.readline() == b"up\n"
        user.kill()
    assert local_services.status() == {"Postgres": True, "Valkey": True}
    with local_services.running():
        pass
    assert local_services.status() == {"Postgres": False, "Valkey": False}


def test_started_by_hand_they_stay_until_stopped(local: Path) -> None:
    local_services.start()
    with local_services.running(), pytest.raises(LocalServiceError, match="in use by another command"):
        local_services.stop()
    assert local_services.status() == {"Postgres": True, "Valkey": True}
    local_services.stop()
    assert local_services.status() == {"Postgres": False, "Valkey": False}


def test_killed_servers_come_back_with_their_data(local: Path) -> None:
    with local_services.running():
        with _connect() as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        with _redis() as client:
            client.set("kept", "42")
            client.execute_command("WAITAOF", 1, 0, 2000)
        before = _main_processes(local)
        for process in before:
            os.kill(process, signal.SIGKILL)
        assert local_services.revive() == ["Postgres", "Valkey"]
        with _connect() as connection:
            answer = connection.execute("SELECT answer FROM kept").fetchone()
            connection.execute("DROP TABLE kept")
        with _redis() as client:
            kept = client.get("kept")
        assert (answer, kept) == ((42,), b"42")
        assert not set(before) & set(_main_processes(local))
        assert local_services.revive() == []


def test_servers_whose_sockets_were_removed_are_replaced(local: Path) -> None:
    with local_services.running():
        before = _main_processes(local)
        for socket in (".s.PGSQL.5432", "valkey.sock"):
            (environment.local_run_directory() / socket).unlink()
        with local_services.running():
            assert local_services.status() == {"Postgres": True, "Valkey": True}
        assert not set(before) & set(_main_processes(local))


def test_a_stale_process_file_that_names_a_living_stranger_is_ignored(local: Path) -> None:
    for file in (local / "pg" / "postmaster.pid", local / "valkey" / "valkey.pid"):
        file.write_text(f"{os.getpid()}\n{local}/pg\n1\n5432\n\n\n")
    with local_services.running():
        assert os.getpid() not in _main_processes(local)


def test_a_server_that_cannot_start_shows_the_end_of_its_log(local: Path) -> None:
    configuration = local / "pg" / "postgresql.conf"
    good = configuration.read_text()
    configuration.write_text(f"{good}\nno_such_setting = 1\n")
    try:
        with pytest.raises(LocalServiceError) as caught, local_services.running():
            pass
    finally:
        configuration.write_text(good)
    first, *tail = str(caught.value).splitlines()
    assert first == "The local Postgres did not start. Its log ends:"
    assert any('unrecognized configuration parameter "no_such_setting"' in line for line in tail)
    assert local_services.status() == {"Postgres": False, "Valkey": False}


def test_a_data_folder_that_is_none_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _point_at(tmp_path / ".local", monkeypatch)
    stranger = tmp_path / ".local" / "pg" / "thesis.txt"
    stranger.parent.mkdir(parents=True)
    stranger.write_text("years of work")
    with pytest.raises(LocalServiceError, match="The local Postgres did not start"), local_services.running():
        pass
    assert stranger.read_text() == "years of work"


def test_a_missing_program_is_named(local: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_BIN", "/no/such/folder")
    with pytest.raises(LocalServiceError) as caught:
        _ = Postgres(local / "pg", local / "run").program
    assert str(caught.value) == (
        "/no/such/folder/postgres does not exist: set PG_BIN to a folder with Postgres's programs."
    )
    monkeypatch.setenv("REDIS_SERVER", "/no/such/server")
    with pytest.raises(LocalServiceError, match="set REDIS_SERVER to an existing redis-server"):
        _ = Valkey(local / "valkey", local / "run").program


def test_a_server_of_its_own_replaces_the_local_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _point_at(tmp_path, monkeypatch)
    monkeypatch.setattr(environment, "REDIS_URL", "redis://cache.example/0")
    assert list(local_services.status()) == ["Postgres"]
    monkeypatch.setattr(environment, "LOCAL", False)
    with local_services.running():
        assert list(tmp_path.iterdir()) == []


def test_without_any_account_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(account.Account, "can_run", lambda *_: False)
    with pytest.raises(LocalServiceError) as caught:
        account.choose(tmp_path / ".local", [])
    assert str(caught.value) == (
        f"The local servers cannot run as root, no other account may enter {tmp_path}, and this machine allows no "
        "user namespaces: move the project to a folder that others may enter, run as a normal user, or set "
        "DATABASE_URL and REDIS_URL."
    )


def _allows_namespaces() -> bool:
    return subprocess.run(["unshare", "--user", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends its servers to another account")
def test_root_lends_the_servers_to_nobody(initialised: Path) -> None:
    chosen = account.choose(initialised, [])
    assert chosen == account.Account(uid=pwd.getpwnam("nobody").pw_uid, gid=pwd.getpwnam("nobody").pw_gid)


@pytest.mark.skipif(os.geteuid() != 0 or not _allows_namespaces(), reason="needs root and user namespaces")
def test_in_a_folder_of_its_own_root_calls_itself_nobody(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    chosen = account.choose(tmp_path, [])
    assert (chosen.uid, bool(chosen.prefix)) == (0, True)
    told = chosen.run(["/bin/sh", "-c", "id -u"])
    assert told.stdout.strip() == "65534"


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o755)
    (tmp_path / "run").symlink_to(tmp_path / "elsewhere")
    mine = account.Account(uid=os.geteuid(), gid=os.getegid())
    with pytest.raises(LocalServiceError, match="belongs to another user"):
        mine.own(tmp_path / "run")
    assert (tmp_path / "elsewhere").stat().st_mode & 0o777 == 0o755


def test_settings_are_not_loaded() -> None:
    code = "import recsite.local_services as _; from django.conf import settings; print(settings.configured)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"
