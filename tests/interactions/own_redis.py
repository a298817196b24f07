"""A Valkey of a test's own, to be stopped, filled, emptied and killed."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from recsite.local_services.valkey import Valkey


class OwnRedis:
    """The server, with nothing in it, and a client that waits for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "redis.sock"
        self.client = redis.Redis(unix_socket_path=str(self.socket), retry=Retry(NoBackoff(), 0))
        self.start()

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        program = Valkey(self.folder, self.folder).program
        self.process = subprocess.Popen(
            [program, "--port", "0", "--unixsocket", self.socket, "--save", "", "--dir", self.folder],
            stdout=subprocess.DEVNULL,
        )
        while True:
            try:
                self.client.ping()
                return
            except redis.ConnectionError:
                assert self.process.poll() is None

    def hang(self) -> None:
        """Let it hang: connections stay open, nothing is answered."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Wake it up."""
        self.process.send_signal(signal.SIGCONT)
        self.client.ping()

    def restart_from_file(self) -> None:
        """End it at once, as a failing machine does, and start it with what it last wrote to its file."""
        self.kill()
        self.start()

    def kill(self) -> None:
        """End it at once, and let go of the connection."""
        self.client.close()
        self.process.kill()
        self.process.wait()
