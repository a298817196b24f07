"""Progress bars with rate and time left, on a terminal only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text


class RateColumn(ProgressColumn):
    """Done so far and how many a second."""

    def render(self, task: Task) -> Text:
        """Return the text for one step."""
        speed = f" {task.speed:,.0f}/s" if task.speed else ""
        return Text(f"{task.completed:,.0f}{speed}")


@contextmanager
def progress_bars(console: Console) -> Iterator[Callable[[str, int, int], None]]:
    """Yield the function to tell (step, done, total) to; 0 as total when it is not known."""
    columns = (TextColumn("{task.description}"), BarColumn(), RateColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks = {}

        def tell(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step)
            bars.update(tasks[step], completed=done, total=total or None)

        yield tell
