"""What the two local servers share: a folder of their own, a socket, and being killed at any time."""

from __future__ import annotations

import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from recsite.local_services.account import Account
from recsite.local_services.exceptions import LocalServiceError, with_log

START_SECONDS = 300
"""A server may have to replay a long log after a crash."""


class Server(ABC):
    """One server whose working directory is its data folder, which is how its processes are told from all others.

    Parameters
    ----------
    directory
        Its data.
    run
        Folder of its socket.
    """

    name: ClassVar[str]
    options: ClassVar[Mapping[str, str]]
    """What it is started with beside its folders."""
    executables: ClassVar[frozenset[str]]
    """File names of its program: what else works in its folder, a shell say, is left alone."""

    def __init__(self, directory: Path, run: Path) -> None:
        self.directory = directory
        self.run = run

    @property
    @abstractmethod
    def program(self) -> Path:
        """The server's executable.

        Raises
        ------
        LocalServiceError
            When it is not installed.
        """

    @property
    @abstractmethod
    def socket(self) -> Path:
        """The Unix socket it listens on."""

    @property
    @abstractmethod
    def log(self) -> Path:
        """The file it logs to."""

    @property
    @abstractmethod
    def process_file(self) -> Path:
        """The file in which it keeps the id of its main process."""

    @property
    @abstractmethod
    def leftovers(self) -> tuple[Path, ...]:
        """Files that a killed server leaves behind and that keep the next one from starting."""

    @abstractmethod
    def answers(self) -> bool:
        """Return whether it takes commands now, in well under a second."""

    @abstractmethod
    def _launch(self, account: Account) -> str:
        """Start it as a daemon; return what it complained about, empty when all is well."""

    def start(self, account: Account) -> None:
        """Start it and wait until it answers, after clearing what a killed one left. The caller holds the lock.

        Raises
        ------
        LocalServiceError
            When it does not come up.
        """
        # One that is there but silent may only be replaying its log.
        if self.socket.exists() and wait_until(self.answers, START_SECONDS, self._is_alive):
            return
        self.stop()
        complaint = self._launch(account)
        # A daemon may need a moment to write the file that names it.
        patience = time.monotonic() + 1

        def is_there() -> bool:
            return bool(self._processes()) or time.monotonic() < patience

        if complaint or not wait_until(self.answers, START_SECONDS, is_there):
            raise with_log(f"The local {self.name} did not start. {complaint}".strip(), self.log)

    def stop(self) -> None:
        """Stop it, wait until it is gone, and clear what a killed one left behind; killing is the last resort.

        Raises
        ------
        LocalServiceError
            When its processes outlive even that.
        """
        # To both main processes SIGINT means: disconnect everybody, lose nothing. Postgres's others must not get it.
        for sign, seconds in ((signal.SIGINT, 30), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
            processes = self._processes()
            main = self._main_process()
            for process in [main] if sign == signal.SIGINT and main in processes else processes:
                with suppress(ProcessLookupError):
                    os.kill(process, sign)
            if wait_until(lambda: not self._processes(), seconds):
                break
        else:
            raise LocalServiceError(f"The local {self.name} (process {self._processes()}) cannot be stopped: kill it.")
        for path in self.leftovers:
            path.unlink(missing_ok=True)

    def _is_alive(self) -> bool:
        return self._main_process() in self._processes()

    def _main_process(self) -> int:
        """Return the process that the server's own file names, 0 when there is none."""
        try:
            return int(self.process_file.read_text().split()[0])
        except (OSError, IndexError, ValueError):
            return 0

    def _processes(self) -> list[int]:
        """Return the ids of its live processes: neither a zombie nor a reused id works in our folder."""
        if not os.path.exists("/proc/self/cwd"):
            return [self._main_process()] if _exists(self._main_process()) else []
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                # The kernel marks the folder of a server whose data was removed under it, and a replaced program.
                folder = os.readlink(process / "cwd").removesuffix(" (deleted)")
                program = os.readlink(process / "exe").removesuffix(" (deleted)")
                if folder == os.path.realpath(self.directory) and Path(program).name in self.executables:
                    found.append(int(process.name))
        return found


def wait_until(is_done: Callable[[], bool], seconds: float, may_go_on: Callable[[], bool] = lambda: True) -> bool:
    """Wait until `is_done`, and return whether it is; give up after `seconds`, or as soon as not `may_go_on`."""
    deadline = time.monotonic() + seconds
    while not is_done():
        if time.monotonic() > deadline or not may_go_on():
            return is_done()
        time.sleep(0.02)
    return True


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return process > 0
