"""Model versions and rebuilds in the admin; placements and rules have files of their own."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from unfold.admin import ModelAdmin
from unfold.decorators import display

from recommender import placement_admin, rule_admin, rule_version_admin, version_page
from recommender.exceptions import RecommenderError
from recommender.models import ActiveModel, ModelVersion, RebuildJob
from recommender.registry import job_course, publishing

__all__ = ["placement_admin", "rule_admin", "rule_version_admin"]

STATE_COLOURS = {"ready": "success", "refused": "danger", "retired": "info"}
JOB_COLOURS = {"done": "success", "failed": "danger", "running": "info"}


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]
    """Rows that only the engine writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: the engine writes these rows."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: the engine writes these rows."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: they are the record of what happened."""
        return False


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    """What rebuilds left behind, and which version serves."""

    list_display: ClassVar = ["name", "state_label", "serves", "ndcg", "coverage", "interactions", "took", "created_at"]
    list_filter: ClassVar = ["state"]
    search_fields: ClassVar = ["name"]
    actions: ClassVar = ["serve"]
    exclude: ClassVar = ["metrics", "gate_reasons"]
    change_form_outer_before_template = "admin/recommender/version.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelVersion]:
        """Find out what serves in the same query as the list."""
        pointers = ActiveModel.objects.filter(alias=publishing.ALIAS, version=OuterRef("pk"))
        found: QuerySet[ModelVersion] = super().get_queryset(request)
        return found.annotate(is_active=Exists(pointers))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show what was measured of the version above its fields."""
        context = dict(extra_context or {})
        version = self.get_object(request, object_id)
        if version is not None and self.has_view_permission(request, version):
            held = publishing.pointer()
            newest = ModelVersion.objects.all()[: version_page.VERSIONS_DRAWN]
            context["page"] = version_page.page(version, held.version if held else None, newest)
        return super().change_view(request, object_id, form_url, context)  # type: ignore[no-any-return]

    @display(description="state", label=STATE_COLOURS)
    def state_label(self, version: ModelVersion) -> tuple[str, str]:
        """Return the state with its colour."""
        return version.state, version.get_state_display()

    @display(description="serves", boolean=True)
    def serves(self, version: ModelVersion) -> bool:
        """Tell whether this version answers requests now."""
        return bool(version.is_active)  # type: ignore[attr-defined] # annotated by get_queryset

    @display(description="NDCG@10")
    def ndcg(self, version: ModelVersion) -> str:
        """Return the final list's NDCG on held-out events."""
        return _figure(version, "ndcg")

    @display(description="coverage@10")
    def coverage(self, version: ModelVersion) -> str:
        """Return the share of the catalogue in at least one list."""
        return _figure(version, "coverage")

    @display(description="took")
    def took(self, version: ModelVersion) -> str:
        """Return the duration of the rebuild."""
        return f"{version.seconds:.0f} s"

    @admin.action(description="Let this version serve", permissions=["publish"])
    def serve(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        """Move the pointer to the chosen version once it has been read back whole."""
        if queryset.count() != 1:
            self.message_user(request, "Choose exactly one version.", messages.ERROR)
            return
        try:
            version = publishing.rollback(to=queryset.get().name)
        except RecommenderError as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        self.message_user(request, f"{version.name} serves from the next request on.")

    def has_publish_permission(self, request: HttpRequest) -> bool:
        """Allow who may change versions."""
        return request.user.has_perm("recommender.change_modelversion")


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

    @display(description="state", label=JOB_COLOURS)
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


def _figure(version: ModelVersion, name: str) -> str:
    found = version.metrics.get("final", {}).get(name)
    return "–" if found is None else f"{found:.4f}"
