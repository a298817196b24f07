#!/usr/bin/env python
"""Run a Django management command of the recsite project, with the local servers up while it runs."""

import os
import signal
import sys

from django.core.management import execute_from_command_line

from recsite import local_services

WITHOUT_SERVERS = {"help", "version", "collectstatic", "diffsettings", "makemessages", "compilemessages"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    if command in WITHOUT_SERVERS or {command, *sys.argv[2:]} & {"-h", "--help", "--version"}:
        execute_from_command_line(sys.argv)
        return
    # A polite kill must reach the `finally` that stops the servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with local_services.running():
            execute_from_command_line(sys.argv)
    except local_services.LocalServiceError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
