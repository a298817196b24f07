"""A whole site of a test's own, as production runs it: Postgres, Valkey, web, worker and beat, which may be harmed."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from recsite.demo import programs
from recsite.local_services import account
from recsite.local_services.postgres import PORT, Postgres
from recsite.local_services.server import Server, wait_until
from recsite.local_services.valkey import Valkey
from tests.chaos.processes import Running

START_SECONDS = 120.0
DATABASE = "site"
CELERY = [sys.executable, "-m", "celery", "--app", "recsite"]


class Site:
    """Servers and programs in one folder. Nothing runs before it is started."""

    host = programs.HOST
    launcher: Sequence[str] = ()
    """What starts its programs somewhere else than here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.models = folder / "models"
        self.postgres = Postgres(folder / "pg", folder / "run")
        self.valkey = Valkey(folder / "valkey", folder / "run")
        self.port = free_port()
        self.running: dict[str, Running] = {}

    @property
    def environment(self) -> dict[str, str]:
        """What its programs are told, and nothing of this process's own settings."""
        counters = self.folder / "counters"
        counters.mkdir(exist_ok=True)
        host = quote(str(self.postgres.run), safe="")
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH", "PG_BIN") if name in os.environ}
        return kept | {
            "DATABASE_URL": f"postgres://postgres@{host}:{PORT}/{DATABASE}",
            "REDIS_URL": f"unix://{self.valkey.socket}?db=0",
            "CELERY_BROKER_URL": f"redis+socket://{self.valkey.socket}?virtual_host=1",
            "SECRET_KEY": "fault " * 10,
            "ALLOWED_HOSTS": self.host,
            "SECURE_SSL_REDIRECT": "false",
            "MODEL_DIRECTORY": str(self.models),
            "CATALOGUE_DIRECTORY": str(self.folder / "catalogue"),
            "PROMETHEUS_MULTIPROC_DIR": str(counters),
            "PYTHONUNBUFFERED": "1",
        }

    @property
    def key(self) -> str:
        """An API key with every scope."""
        return (self.folder / "key").read_text()

    # --- servers -----------------------------------------------------------------------------------------------------
    def start_server(self, server: Server) -> None:
        """Start Postgres or Valkey; it answers afterwards."""
        chosen = account.choose(self.folder, [server.program])
        chosen.own(server.run)
        server.start(chosen)

    def kill_server(self, server: Server) -> None:
        """SIGKILL every process of a server at once."""
        signal_all(server, signal.SIGKILL)
        assert wait_until(lambda: not server._processes(), 10)

    def configure_postgres(self, **options: str) -> None:
        """Write settings that the next start of Postgres takes."""
        with (self.postgres.directory / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in options.items())

    def connect(self, **options: Any) -> psycopg.Connection[Any]:
        """Return a connection of the test's own, which commits each statement."""
        return psycopg.connect(
            host=str(self.postgres.run), port=PORT, user="postgres", dbname=DATABASE, autocommit=True, **options
        )

    def sql(self, statement: str, *values: Any) -> list[Any]:
        """Run one statement; return its rows."""
        with self.connect() as connection:
            found = connection.execute(statement, values)  # type: ignore[arg-type]
            return found.fetchall() if found.description else []

    def sql_elsewhere(self, *statements: str) -> None:
        """Run statements outside the site's own database."""
        host = str(self.postgres.run)
        with psycopg.connect(host=host, port=PORT, user="postgres", dbname="postgres", autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)  # type: ignore[arg-type]

    @staticmethod
    def sql_on(connection: psycopg.Connection[Any], statement: str, *values: Any) -> list[Any]:
        """Run one statement on a connection that is held."""
        return connection.execute(statement, values).fetchall()  # type: ignore[arg-type]

    def redis(self, database: int = 0) -> redis.Redis:
        """Return a client of the test's own."""
        return redis.Redis(unix_socket_path=str(self.valkey.socket), db=database, retry=Retry(NoBackoff(), 0))

    # --- programs ----------------------------------------------------------------------------------------------------
    def start(self, name: str, command: Sequence[str], more: Mapping[str, str] | None = None) -> Running:
        """Start a program; one of this name that runs already is forgotten, not ended."""
        log = self.folder / f"{name}.log"
        running = self.running[name] = Running([*self.launcher, *command], log, self.environment | dict(more or {}))
        return running

    def start_web(
        self, workers: int = 1, more: Mapping[str, str] | None = None, application: str = "recsite.wsgi:application"
    ) -> Running:
        """Start the web server and wait until it can serve."""
        command = [*programs.web_command(self.port, workers, self.host)[:-1], application]
        web = self.start("web", command, more)
        assert wait_until(self.is_ready, START_SECONDS, lambda: not web.ended), self.said("web")
        return web

    def start_worker(self, name: str = "worker", more: Mapping[str, str] | None = None) -> Running:
        """Start a worker of one process and wait until it takes tasks."""
        command = [*CELERY, "worker", "--concurrency", "1", "--loglevel", "INFO", "--hostname", f"{name}@test"]
        before = self.said(name).count(" ready.")
        worker = self.start(name, command, more)
        assert wait_until(lambda: self.said(name).count(" ready.") > before, START_SECONDS), self.said(name)
        return worker

    def start_beat(self, name: str = "beat", more: Mapping[str, str] | None = None) -> Running:
        """Start beat."""
        beat = self.start(name, [*CELERY, "beat", "--loglevel", "INFO"], more)
        assert wait_until(lambda: "beat: Starting" in self.said(name), START_SECONDS), self.said(name)
        return beat

    def manage(self, *arguments: str, more: Mapping[str, str] | None = None, check: bool = True) -> str:
        """Run a management command to its end; return what it said."""
        return self.python("-m", "django", *arguments, more=more, check=check)

    def python(self, *arguments: str, more: Mapping[str, str] | None = None, check: bool = True) -> str:
        """Run Python on this site to its end; return what it said."""
        environment = self.environment | {"DJANGO_SETTINGS_MODULE": "recsite.settings"} | dict(more or {})
        done = subprocess.run(
            [*self.launcher, sys.executable, *arguments],
            env=environment,
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def said(self, name: str) -> str:
        """Return a program's log."""
        log = self.folder / f"{name}.log"
        return log.read_text(errors="replace") if log.exists() else ""

    # --- HTTP --------------------------------------------------------------------------------------------------------
    def ask(
        self, method: str, path: str, body: object = None, *, timeout: float = 30.0, key: str | None = None
    ) -> tuple[int, dict[str, Any], Mapping[str, str]]:
        """Return status, document and headers of one request on a connection of its own."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            headers = {"Authorization": f"Api-Key {key or self.key}", "Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            content = answer.read()
            return answer.status, json.loads(content) if content else {}, dict(answer.getheaders())
        finally:
            connection.close()

    def is_ready(self) -> bool:
        """Return whether the web server can serve."""
        with suppress(OSError, http.client.HTTPException, ValueError):
            return self.ask("GET", "/readyz")[0] == 200
        return False

    def list_for(self, user_id: str = "user-1", query: str = "") -> dict[str, Any]:
        """Return a list of recommendations that was served."""
        status, document, _ = self.ask("GET", f"/api/v1/recommendations/{user_id}?limit=5{query}")
        assert status == 200, document
        assert document["recommendations"], document
        return document

    def point_at(self, name: str) -> None:
        """Move the pointer past the door that checks a version first, and tell every process."""
        self.sql(
            "UPDATE recommender_activemodel SET version_id = (SELECT id FROM recommender_modelversion WHERE name = %s)",
            name,
        )
        self.announce()

    def announce(self) -> None:
        """Tell every process which revisions there are, as beat does."""
        with self.redis() as client:
            client.hset(
                f"recsite:{DATABASE}:revisions", mapping=dict(self.sql("SELECT name, value FROM catalog_revision"))
            )

    def directory_of(self, name: str) -> Path:
        """Return the folder of a version."""
        [[directory]] = self.sql("SELECT directory FROM recommender_modelversion WHERE name = %s", name)
        return self.models / str(directory)

    def version_served(self) -> str | None:
        """Return the name of the version that the next list names."""
        served: str | None = self.list_for()["recommendations"][0]["model_version"]
        return served

    def stop(self) -> None:
        """End everything, the programs first."""
        for running in reversed(self.running.values()):
            if not running.ended:
                running.stop()
        for server in (self.postgres, self.valkey):
            signal_all(server, signal.SIGCONT)
            server.stop()


def signal_all(server: Server, sign: signal.Signals) -> None:
    """Send a signal to every process of a server."""
    for process in server._processes():
        with suppress(ProcessLookupError):
            os.kill(process, sign)


def free_port() -> int:
    """Return a TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((programs.HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def own_folder() -> Iterator[Path]:
    """Give a folder that is removed afterwards."""
    # Short, since a socket's path may not be long, and open to the account that the servers run as.
    path = Path(tempfile.mkdtemp(prefix="recsite-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
