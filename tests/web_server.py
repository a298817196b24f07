"""The real web server, and what else runs beside it, on the database, keys and models that the starter uses now.

Only what is committed is seen there. Everything started ends with the `with` block, or with this process.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from django.conf import settings
from django.db import connection

from recsite.demo import programs
from recsite.processes import Program, Supervisor

HANDED_OVER = ("RECOMMENDER_VECTOR_INDEXES", "RECOMMENDER_RECIPES")
"""Settings that a test or a benchmark may have overridden."""
WORKER = "-m granian"
"""In the command line of the server's processes, and of nothing else."""
READY_SECONDS = 300.0
"""A million items are read into memory first."""


@contextmanager
def web_server(
    folder: Path,
    *,
    workers: int = 1,
    urls: str = "recsite.urls",
    processors: set[int] | None = None,
    also: Sequence[Program] = (),
) -> Iterator[int]:
    """Yield the port of a server that is ready to serve.

    Parameters
    ----------
    folder
        Where logs and counters are written.
    urls
        Module of the addresses to answer.
    processors
        Where the server may run; the programs beside it run anywhere. None: anywhere, too.
    also
        Other programs of the product to keep running meanwhile.

    Raises
    ------
    RuntimeError
        A program has died, or the server is not ready in time; with the end of its log.
    """
    port, said = _free_port(), list[str]()
    log, environment = folder / "web.log", _environment(folder, urls)
    server = Program(name="web", command=programs.web_command(port, workers), log=log, environment=environment)
    beside = [replace(one, log=folder / one.log.name, environment={**environment, **one.environment}) for one in also]
    with Supervisor(said.append) as supervisor:
        with running_on(processors):
            supervisor.start(server)
        for program in beside:
            supervisor.start(program)
        if not supervisor.watch(lambda: bool(said) or _is_ready(port), READY_SECONDS) or said:
            raise RuntimeError(f"{' '.join(said) or 'not ready'}:\n{log.read_text()[-3000:]}")
        yield port


@contextmanager
def running_on(processors: set[int] | None) -> Iterator[None]:
    """Hold this thread, and what it starts meanwhile, to some processors."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, before if processors is None else processors)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _environment(folder: Path, urls: str) -> Mapping[str, str]:
    counters = folder / "counters"
    counters.mkdir(exist_ok=True)
    overridden = {name: getattr(settings, name) for name in HANDED_OVER if hasattr(settings, name)}
    return {
        "DJANGO_SETTINGS_MODULE": "tests.web_settings",
        "STARTER_DATABASE": connection.settings_dict["NAME"],
        "STARTER_SETTINGS": json.dumps({"ROOT_URLCONF": urls, "REDIS_URL": settings.REDIS_URL, **overridden}),
        "REDIS_KEY_PREFIX": settings.REDIS_KEY_PREFIX,
        "MODEL_DIRECTORY": settings.RECOMMENDER_MODEL_DIRECTORY,
        "CATALOGUE_DIRECTORY": str(folder / "catalogue"),
        "PROMETHEUS_MULTIPROC_DIR": str(counters),
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((programs.HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _is_ready(port: int) -> bool:
    asked = http.client.HTTPConnection(programs.HOST, port, timeout=READY_SECONDS)
    try:
        asked.request("GET", "/readyz")
        return asked.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asked.close()
