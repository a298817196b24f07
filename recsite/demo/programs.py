"""What runs while the demo does: web, worker and beat, on a port that is free."""

from __future__ import annotations

import http.client
import shutil
import socket
import sys

from recsite import environment
from recsite.processes import Program

HOST = "127.0.0.1"
FIRST_PORT = 8000
PORTS_TRIED = 50
LOGS = environment.LOCAL_DIRECTORY / "logs"


class PortTaken(Exception):
    """No port to answer on. The message is for a person."""


def choose_port(wanted: int | None) -> int:
    """Return `wanted`, or without a wish the first free port from 8000 on.

    Raises
    ------
    PortTaken
        When the wanted one, or every one of fifty, is in use.
    """
    if wanted is not None:
        if not _is_free(wanted):
            raise PortTaken(f"Port {wanted} is in use by another program: choose another with PORT=.")
        return wanted
    for port in range(FIRST_PORT, FIRST_PORT + PORTS_TRIED):
        if _is_free(port):
            return port
    raise PortTaken(f"Ports {FIRST_PORT} to {FIRST_PORT + PORTS_TRIED - 1} are all in use: choose one with PORT=.")


def web(port: int) -> Program:
    """Return the web server; its processes add up their metrics in a folder that is emptied here."""
    metrics = environment.LOCAL_DIRECTORY / "prometheus"
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir(parents=True)
    return Program(
        name="web",
        command=web_command(port, workers=2),
        log=LOGS / "web.log",
        environment={"PROMETHEUS_MULTIPROC_DIR": str(metrics)},
    )


def web_command(port: int, workers: int, host: str = HOST) -> list[str]:
    """Return the command line of a web server."""
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port), "--no-ws"]
    # Threads hold a Postgres connection each; a request takes milliseconds, so few are enough.
    command += [
        "--workers",
        str(workers),
        "--blocking-threads",
        str(environment.WEB_THREADS),
        "--respawn-failed-workers",
    ]
    # On SIGHUP each process is replaced by a new one, which is given this long to start before the old one stops.
    command += ["--respawn-interval", "20"]
    # Told to stop, it finishes what it has begun; what takes longer than this hangs.
    return [*command, "--workers-kill-timeout", "30", "recsite.wsgi:application"]


def background() -> list[Program]:
    """Return what works behind the web server: the worker, then beat."""
    celery = [sys.executable, "-m", "celery", "--app", "recsite"]
    worker = [*celery, "worker", "--concurrency", "2", "--loglevel", "INFO"]
    beat = [*celery, "beat", "--loglevel", "INFO"]
    return [
        Program(name="worker", command=worker, log=LOGS / "worker.log"),
        Program(name="beat", command=beat, log=LOGS / "beat.log"),
    ]


def visitors() -> Program:
    """Return what visits the site like people, for the demo's own films."""
    command = [sys.executable, "manage.py", "simulate_visits"]
    return Program(name="visitors", command=command, log=LOGS / "visitors.log")


def answers(port: int) -> bool:
    """Return whether the web server on `port` says that it is alive."""
    # Not urllib: that would ask a proxy named in the environment.
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # A port whose last connections are only fading away is free; one that is listened on is not.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen()
        except (OSError, OverflowError):
            return False
    return True
