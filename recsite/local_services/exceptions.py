"""What goes wrong with the local servers."""

from __future__ import annotations

from pathlib import Path

TAIL_LINES = 8


class LocalServiceError(Exception):
    """A local server cannot be started, reached or stopped. The message is for a person and says what to do."""


def with_log(message: str, log: Path) -> LocalServiceError:
    """Return the error with the last lines of the server's own log beneath its message."""
    try:
        lines = log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
    except OSError:
        lines = []
    return LocalServiceError("\n".join([message, *(f"  | {line}" for line in lines)]))
