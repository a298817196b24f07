"""A peer's own Python: made under `.local/` when it is first wanted, with exactly the packages of its lock file."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from recsite.environment import LOCAL_DIRECTORY

FOLDER = LOCAL_DIRECTORY / "peers"
LOCKS = Path(__file__).parent


class Unavailable(Exception):
    """Why a peer cannot run here."""


def python_of(environment: str | None) -> Path:
    """Return the interpreter to run a peer of `environment` with; None is this one.

    Raises
    ------
    Unavailable
        When its packages cannot be installed: no network, or no wheels for this Python.
    """
    if environment is None:
        return Path(sys.executable)
    lock = LOCKS / f"{environment}.lock"
    folder = FOLDER / environment
    python = folder / "bin" / "python"
    stamp = folder / "installed"
    if stamp.exists() and stamp.read_text() == key(lock):
        return python
    shutil.rmtree(folder, ignore_errors=True)
    _run([sys.executable, "-m", "venv", "--without-pip", str(folder)])
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--no-input", "--disable-pip-version-check"]
    # As in recsite.installation: a lock file is complete, so nothing need be resolved.
    _run([*pip, "install", "--require-hashes", "--no-deps", "--no-compile", "-r", str(lock)])
    # Lines for other platforms are passed over without a word: is it here at all?
    _run([str(python), "-c", f"import {environment}"])
    stamp.write_text(key(lock))
    return python


def key(lock: Path) -> str:
    """Return what an installation of `lock` by this Python is remembered by."""
    return hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()


def _run(command: list[str]) -> None:
    environment = {**os.environ, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0", "PYTHONPATH": ""}
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Unavailable(last_line(done.stderr) or last_line(done.stdout))


def last_line(text: str) -> str:
    """Return the last line that says something, "" without one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
