"""Milvus Lite as a server of its own, which tests may kill: slow, but it answers as Milvus does."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

PATIENCE = 60.0
"""Seconds until it must answer."""


class MilvusLite:
    """A server over one folder; `start` again after `kill` finds what was there, at the same address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port: int = free.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it and wait until it listens."""
        command = [sys.executable, "-m", "milvus_lite", "server"]
        options = ["--data-dir", str(self._folder / "milvus"), "--host", "127.0.0.1", "--port", str(self._port)]
        with (self._folder / "milvus.log").open("ab") as log:
            self._process = subprocess.Popen([*command, *options], stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return self
        self.kill()
        raise RuntimeError((self._folder / "milvus.log").read_text())

    def kill(self) -> None:
        """End it without a word to anybody."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
