"""Whoever watches a terminal sees a bar with rate and time left; a log gets plain lines and nothing else."""

from __future__ import annotations

import io
import os
import pty
import re
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TextIO

import pytest
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone
from rich.console import Console

from catalog.models import Item
from recommender.management.rebuild_bar import rebuild_bar
from recommender.models import RebuildJob

ESCAPE = "\x1b"
BAR = re.compile("[━╸╺].*[0-9-]:[0-9-]{2}:[0-9-]{2}")
"""And how long it has taken or will still take."""


class Terminal:
    """A pseudo-terminal, read as a person's would be."""

    def __init__(self) -> None:
        self._master, slave = pty.openpty()
        self.file: TextIO = os.fdopen(slave, "w", encoding="utf-8")
        self._seen = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        try:
            while taken := os.read(self._master, 4096):
                self._seen += taken
        except OSError:
            # What Linux says when the other end has been closed.
            return

    def seen(self) -> str:
        """Return all that was written; it cannot be written to any more."""
        self.file.close()
        self._reader.join(timeout=30)
        return self._seen.decode()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    return Terminal()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "items.csv").write_text("item_id,title\nheat,Heat\nup,Up\n")
    lines = [f"user {day},{item_id},watch,2026-01-0{day}T00:00:00Z" for day in (1, 2, 3) for item_id in ("heat", "up")]
    (tmp_path / "data" / "events.csv").write_text("\n".join(["user_id,item_id,event_type,timestamp", *lines]) + "\n")
    train = [f"user {user},{(user + step) % 12},{1_700_000_000 + step}" for user in range(8) for step in range(6)]
    (tmp_path / "train.csv").write_text("\n".join(["user_id,item_id,timestamp", *train]) + "\n")
    return tmp_path


def importing(folder: Path, out: TextIO) -> None:
    call_command("import_dataset", str(folder / "data"), stdout=out)


def rebuilding(folder: Path, out: TextIO) -> None:
    with override_settings(RECOMMENDER_MODEL_DIRECTORY=str(folder / "models")):
        Item.objects.create(item_id="heat", title="Heat")
        call_command("rebuild_models", stdout=io.StringIO(), stderr=out, no_color=True)


def evaluating(folder: Path, out: TextIO) -> None:
    call_command("evaluate", train=folder / "train.csv", stdout=io.StringIO())


COMMANDS = [importing, rebuilding, evaluating]
Command = Callable[[Path, TextIO], None]


@pytest.mark.django_db
@pytest.mark.parametrize("command", COMMANDS)
def test_a_terminal_shows_a_bar(
    command: Command, folder: Path, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal.file)
    command(folder, terminal.file)
    seen = terminal.seen()
    assert ESCAPE in seen
    assert BAR.search(seen)


@pytest.mark.django_db
@pytest.mark.parametrize("command", COMMANDS)
def test_a_log_gets_plain_lines(command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    command(folder, log)
    assert ESCAPE not in log.getvalue()
    assert "\r" not in log.getvalue()


@pytest.mark.django_db
def test_the_time_that_a_rebuild_will_take_is_told_by_the_last_good_one(terminal: Terminal) -> None:
    ended = timezone.now()
    RebuildJob.objects.create(
        state=RebuildJob.State.DONE,
        stages=[{"stage": "reading", "at": 0.0, "memory": 1}, {"stage": "writing", "at": 9_000.0, "memory": 2}],
        leased_until=ended,
        started_at=ended - timedelta(seconds=10_000),
        finished_at=ended,
    )
    with rebuild_bar(Console(file=terminal.file, force_terminal=True)) as show:
        show("reading", "reading (1 MB)")
        show("writing", "writing (2 MB)")
    seen = terminal.seen()
    # The hundreds only: some seconds may pass until the bar is drawn.
    assert re.search(r"reading .*about (10,000|9,9\d\d) s left", seen)
    assert re.search(r"writing .*about (1,000|9\d\d) s left", seen)
