"""What a further web worker costs: its own memory, the model's files shared with the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from recsite import api_keys
from tests.benchmarks.figures import Row, at_most
from tests.benchmarks.load import Calls, list_of
from tests.benchmarks.load_generator import Call, ask_in_turn
from tests.benchmarks.measured_processes import descendants, memory_of
from tests.benchmarks.workbench import Workbench
from tests.web_server import WORKER, web_server

CONNECTIONS = 60
"""Each is one worker's; with so many no worker is left out."""
SHARE_OF_BUNDLE = at_most(0.15)
MB = 1_000_000


def measure(bench: Workbench, label: str, bundle_bytes: int, calls: Calls, numbers: Sequence[int]) -> Iterator[Row]:
    """Yield what these numbers of workers, ascending, hold once all have served, and what one more adds to it."""
    key = api_keys.create("benchmark", ["read"])
    held = {}
    for workers in numbers:
        bench.step(f"{label}: memory of {workers} workers")
        with web_server(bench.folder, workers=workers) as port:
            for user in calls.users[:CONNECTIONS]:
                ask_in_turn(port, key, [Call(list_of(user))])
            held[workers] = memory_of(descendants(WORKER)).pss
        yield Row(name=f"memory: {label}, {workers} workers", value=held[workers] / MB, unit="MB (PSS)")
    further = (held[numbers[-1]] - held[numbers[0]]) / (numbers[-1] - numbers[0])
    yield Row(name=f"memory: {label}, model on disk", value=bundle_bytes / MB, unit="MB")
    yield Row(name=f"memory: {label}, a further worker", value=further / MB, unit="MB (PSS)")
    share = further / bundle_bytes
    yield Row(name=f"memory: {label}, a further worker / model", value=share, unit="×", target=SHARE_OF_BUNDLE)
