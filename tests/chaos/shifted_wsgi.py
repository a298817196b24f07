"""The web application on a machine whose clock is off by CLOCK_OFF_HOURS; what measures durations goes on as it was.

Not libfaketime: 0.9.10 shifts the clock that Python 3.11 sleeps by as well, and every `time.sleep` fails.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta

import time_machine

_monotonic, _monotonic_ns = time.monotonic, time.monotonic_ns
time_machine.travel(datetime.now(UTC) + timedelta(hours=float(os.environ["CLOCK_OFF_HOURS"]))).start()
time.monotonic, time.monotonic_ns = _monotonic, _monotonic_ns

from recsite.wsgi import application  # noqa: E402 -- with the clock already wrong

__all__ = ["application"]
