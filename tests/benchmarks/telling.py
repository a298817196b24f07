"""What is going on, on standard error: bars on a terminal, one line a step elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from interactions.management.progress import progress_bars
from tests.benchmarks.workbench import Tell


@contextmanager
def telling(benchmark: str) -> Iterator[Tell]:
    """Yield the function that benchmarks tell their steps to."""
    console = Console(stderr=True, highlight=False)
    if console.is_terminal:
        with progress_bars(console) as bars:
            yield lambda step, done, total: bars(f"{benchmark}: {step}", done, total)
        return
    told: set[str] = set()

    def tell(step: str, done: int, total: int) -> None:
        if step not in told:
            told.add(step)
            console.print(f"{benchmark}: {step}")

    yield tell
