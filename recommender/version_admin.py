"""Model versions in the admin: what was measured of each, and which one serves."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.decorators import display

from recommender import version_page
from recommender.exceptions import RecommenderError
from recommender.models import ActiveModel, ModelVersion
from recommender.read_only_admin import ReadOnlyAdmin
from recommender.registry import publishing

STATE_COLOURS = {"ready": "success", "refused": "danger", "retired": "info"}


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


def _figure(version: ModelVersion, name: str) -> str:
    found = version.metrics.get("final", {}).get(name)
    return "–" if found is None else f"{found:.4f}"
