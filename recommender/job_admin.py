"""Rebuilds in the admin, running and past."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from unfold.decorators import display

from recommender.models import RebuildJob
from recommender.read_only_admin import ReadOnlyAdmin
from recommender.registry import job_course

STATE_COLOURS = {"done": "success", "failed": "danger", "running": "info"}


@admin.register(RebuildJob)
class RebuildJobAdmin(ReadOnlyAdmin):
    """Rebuilds, running and past."""

    list_display: ClassVar = [
        "fencing_token", "state_label", "stage", "done", "memory", "reason", "started_at", "finished_at", "version",
    ]  # fmt: skip
    list_filter: ClassVar = ["state"]
    list_select_related: ClassVar = ["version"]
    exclude: ClassVar = ["stages"]
    readonly_fields: ClassVar = ["done", "course"]

    @display(description="state", label=STATE_COLOURS)
    def state_label(self, job: RebuildJob) -> tuple[str, str]:
        """Return the state with its colour."""
        return job.state, job.get_state_display()

    @display(description="done")
    def done(self, job: RebuildJob) -> str:
        """Return about how much is done, as the last rebuild went."""
        share = job_course.share_done(job)
        return "–" if share is None else f"{share:.0%}"

    @display(description="peak memory")
    def memory(self, job: RebuildJob) -> str:
        """Return the most memory it had at once, until the stage it is at."""
        return f"{job.stages[-1]['memory'] / 1e6:,.0f} MB" if job.stages else "–"

    @display(description="stages")
    def course(self, job: RebuildJob) -> str:
        """Return its stages, each with the time it took and the peak of memory when it began."""
        rows = [("stage", "took", "memory before"), *job_course.table(job)]
        return format_html(
            "<table>{}</table>", format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td></tr>", rows)
        )
