"""Start, stop and look at the local servers by hand."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys

from recsite import environment, local_services


def main() -> int:
    """Do what the command line says; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m recsite.local_services", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("start", help="start them and leave them running until `stop`")
    commands.add_parser("stop", help="stop them, unless a command is using them")
    commands.add_parser("status", help="say which of them answer; exits 0 when all do")
    run = commands.add_parser("run", help="run a command with them up")
    run.add_argument("arguments", nargs="+", metavar="COMMAND")
    options = parser.parse_args()
    try:
        return _do(options)
    except local_services.LocalServiceError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _do(options: argparse.Namespace) -> int:
    if options.command == "run":
        with local_services.running():
            return _run(options.arguments)
    if not environment.LOCAL:
        sys.stderr.write("DATABASE_URL is set: the local servers are not used.\n")
        return 1
    if options.command == "start":
        local_services.start()
    elif options.command == "stop":
        local_services.stop()
    status = local_services.status()
    for name, answers in status.items():
        sys.stdout.write(f"{name}: {'running' if answers else 'stopped'}\n")
    return 0 if options.command != "status" or all(status.values()) else 1


def _run(command: list[str]) -> int:
    """Run `command` to its end; Ctrl-C and a polite kill are its own to answer."""
    with subprocess.Popen(command) as process:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        return process.wait()


if __name__ == "__main__":
    sys.exit(main())
