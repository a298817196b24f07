"""Programs of a site under test: each below the product's own guard, so that none outlives the tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from recsite.local_services.server import wait_until
from recsite.processes import GUARD


class Running:
    """One program; its output is appended to `log`."""

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str], grace: float = 3.0) -> None:
        with log.open("ab") as output:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", str(GUARD), str(grace), *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=Path(__file__).parents[2],
                start_new_session=True,
            )
        self.log = log
        assert wait_until(lambda: bool(children(self._guard.pid)) or self._guard.poll() is not None, 10)

    @property
    def main(self) -> int:
        """Process id of the program itself."""
        (found,) = children(self._guard.pid)
        return found

    @property
    def workers(self) -> list[int]:
        """Process ids of the processes it has started."""
        return children(self.main)

    @property
    def ended(self) -> bool:
        """Whether it is gone."""
        return self._guard.poll() is not None

    def send(self, sign: signal.Signals) -> None:
        """Send a signal to the program itself."""
        os.kill(self.main, sign)

    def kill(self) -> None:
        """SIGKILL the program and, as its container would, all that it has started; wait until they are gone."""
        if not self.ended:
            with suppress(ProcessLookupError):
                os.killpg(self._guard.pid, signal.SIGKILL)
        self.stop()

    def stop(self) -> None:
        """End it politely, then by force."""
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        self._guard.wait()


def children(process: int) -> list[int]:
    """Return the ids of a process's children, whichever of its threads started them; [] when it is gone."""
    found: list[int] = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(child) for child in task.read_text().split()]
    return sorted(found)
