"""Run one command for as long as standard input stays open: `process_guard.py GRACE_SECONDS COMMAND…`.

The supervisor (`recsite.processes`) holds the other end of that pipe, so the command ends with it however it dies,
kill -9 included. Run as a script of its own, without site-packages: it costs little memory and nothing can break it.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys


def main(grace_seconds: float, command: list[str]) -> int:
    """Return the exit status of `command`, negative for a signal; never returns once standard input was closed."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    while child.poll() is None:
        ready, _, _ = select.select([sys.stdin, woken], [], [])
        if sys.stdin in ready:
            child.terminate()
            try:
                child.wait(grace_seconds)
            finally:
                # The whole group, this process included: what the command started may outlive it.
                os.killpg(0, signal.SIGKILL)
        os.read(woken, 1024)
    return child.returncode


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:]))
