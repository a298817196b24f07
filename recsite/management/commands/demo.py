"""Run the demo in the foreground."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from types import FrameType
from typing import Any
from urllib.parse import quote

from django.core.management.base import BaseCommand, CommandError, CommandParser

from interactions import queries as interactions
from recsite import local_services
from recsite.demo import dataset, instance
from recsite.demo.preparation import ADMIN, Credentials, prepare, publish_key
from recsite.demo.programs import FIRST_PORT, HOST, LOGS, PortTaken, answers, background, choose_port, visitors, web
from recsite.processes import Supervisor

READY_SECONDS = 90
SERVERS_LOOKED_AFTER_SECONDS = 3.0


class Command(BaseCommand):
    """`manage.py demo [--port N] [--data PATH]`; `--stop` ends the one that runs."""

    help = "Prepare the database, run web, worker and beat, and stay in the foreground until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare port, data and stop."""
        parser.add_argument("--port", help="Port of the site; the next free one from 8000 by default.")
        parser.add_argument("--data", default="", help="Dataset to show, in a database of its own.")
        parser.add_argument("--stop", action="store_true", help="Stop this copy's demo, wherever it runs.")

    def handle(self, *args: Any, port: str | None, data: str, stop: bool, **options: Any) -> None:
        """Run until Ctrl-C."""
        try:
            if stop:
                self._tell("The demo was stopped." if instance.stop() else "No demo of this copy is running.")
                return
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, _interrupt)
            self._run(_port(port), _dataset(data))
        except (instance.AlreadyRunning, PortTaken) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self._tell("Stopped.")

    def _run(self, wanted_port: int | None, data: dataset.Dataset) -> None:
        with instance.claim() as announce:
            port = choose_port(wanted_port)
            if data.choose_database():
                # Settings are read once a process.
                os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606
            if wanted_port is None and port != FIRST_PORT:
                self._tell(f"Port {FIRST_PORT} is in use by another program; using {port}.")
            credentials = prepare(data, self._tell)
            publish_key(port)
            with Supervisor(self._tell) as supervisor:
                supervisor.start(web(port))
                if not supervisor.watch(lambda: answers(port), READY_SECONDS):
                    raise CommandError(f"The site does not answer after {READY_SECONDS} s; see {LOGS / 'web.log'}.")
                url = f"http://{HOST}:{port}"
                announce(url)
                # Only now: starting takes all of a small machine, and a person waits for the page.
                for program in (*background(), *([visitors()] if data.is_own else [])):
                    supervisor.start(program)
                self._tell(_welcome(url, credentials))
                while True:
                    supervisor.watch(seconds=SERVERS_LOOKED_AFTER_SECONDS)
                    for name in local_services.revive():
                        self._tell(f"The local {name} was away; it is running again.")

    def _tell(self, text: str) -> None:
        self.stdout.write(text)
        # Whoever reads through a pipe is waiting for the line, too.
        self.stdout.flush()


def _welcome(url: str, credentials: Credentials) -> str:
    user_id = next((user.user_id for user in interactions.demo_users(1)), "nobody")
    curl = ["curl", "-H", f"Authorization: Api-Key {credentials.api_key}"]
    curl.append(f"{url}/api/v1/recommendations/{quote(user_id, safe='')}?limit=5")
    password = credentials.password or "(the password you gave it)"
    return (
        f"Ready: {url}\n"
        f"Admin: {url}/admin/ user {ADMIN} password {password}\n"
        f"API:   {url}/api/v1/docs\n"
        f"Try:   {shlex.join(curl)}\n"
        f"Logs:  {LOGS}\n"
        "Ctrl-C stops it."
    )


def _port(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise CommandError(f"PORT={text} is no port: give a number from 1 to 65535.")
    return int(text)


def _dataset(path: str) -> dataset.Dataset:
    try:
        return dataset.find(path)
    except FileNotFoundError as error:
        raise CommandError(str(error)) from error


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
