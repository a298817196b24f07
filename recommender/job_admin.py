"""Rebuilds in the admin, running and past, and the page that asks for one."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from unfold.decorators import action, display

from recommender import rebuild_page, rebuild_requests
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
    actions_list: ClassVar = ["rebuild"]

    @action(description="Rebuild now …", url_path="now", permissions=["rebuild"])
    def rebuild(self, request: HttpRequest) -> HttpResponse:
        """Show how the newest rebuild is going; on POST ask for one."""
        if request.method == "POST":
            if rebuild_requests.ask(request.user, publishes=request.POST.get("do") != "hold") is None:
                self.message_user(request, "A rebuild is under way already: one is enough.", messages.WARNING)
            else:
                self.message_user(request, "A rebuild is asked for.")
            return redirect(request.path)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Rebuild",
            "page": rebuild_page.page(timezone.now()),
        }
        return render(request, "admin/recommender/rebuild.html", context)

    def has_rebuild_permission(self, request: HttpRequest) -> bool:
        """Allow engineers."""
        # A method: unfold looks a permission's name up in the database before there is one.
        return request.user.has_perm("recommender.rebuild_models")

    @display(description="state", label=STATE_COLOURS)
    def state_label(self, job: RebuildJob) -> tuple[str, str]:
        """Return the state with its colour."""
        return job.state, job.get_state_display()

    @display(description="done")
    def done(self, job: RebuildJob) -> str:
        """Return about how much of the one that runs is done."""
        share = job_course.share_done(job, timezone.now()) if job.state != RebuildJob.State.FAILED else None
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
