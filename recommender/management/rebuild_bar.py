"""The bar of a rebuild on a terminal: its stage, how much is done and how much time is left, as the last one went."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from recommender.registry import job_course
from recommender.registry.job_course import Course


class LeftColumn(ProgressColumn):
    """About how many seconds are left; the present stage is taken to be over when the last one's was."""

    def render(self, task: Task) -> Text:
        """Return the text, empty where no rebuild has ended well before."""
        if task.total is None:
            return Text("")
        within = time.monotonic() - task.fields["since"]
        left = task.total - min(task.completed + within, task.fields["stage_ends"])
        return Text(f"about {max(left, 0):,.0f} s left")


@contextmanager
def rebuild_bar(console: Console) -> Iterator[Callable[[str, str], None]]:
    """Yield the function to tell a stage's name, and the words shown for it, as it begins; quiet off a terminal."""
    course = job_course.last_good() or Course(whole=0.0, at={})
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), LeftColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task(
            "waiting for the lease", total=course.whole or None, since=time.monotonic(), stage_ends=0.0
        )

        def tell(stage: str, words: str) -> None:
            completed = course.at.get(stage)
            if completed is not None:
                bars.update(task, completed=completed, since=time.monotonic(), stage_ends=course.end_of(stage))
            bars.update(task, description=words, refresh=True)

        yield tell
