"""Model versions in the admin: what was measured of each, and which one serves."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display

from recommender import promotion_page, rebuild_schedule, shadow_page, version_page
from recommender.exceptions import ModelUnavailable, RecommenderError
from recommender.models import ActiveModel, ModelVersion, Shadow
from recommender.read_only_admin import ReadOnlyAdmin
from recommender.registry import publishing
from recommender.shadowing import switch

STATE_COLOURS = {"ready": "success", "refused": "danger", "retired": "info"}


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    """What rebuilds left behind, and which version serves."""

    list_display: ClassVar = ["name", "state_label", "serves", "ndcg", "coverage", "interactions", "took", "created_at"]
    list_filter: ClassVar = ["state"]
    search_fields: ClassVar = ["name"]
    actions_list: ClassVar = ["roll_back"]
    actions_detail: ClassVar = ["promote", "shadow"]
    exclude: ClassVar = ["metrics", "gate_reasons", "manifest_sha256"]
    readonly_fields: ClassVar = ["manifest"]
    change_form_outer_before_template = "admin/recommender/version.html"
    list_before_template = "admin/recommender/version_list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelVersion]:
        """Find out what serves in the same query as the list."""
        pointers = ActiveModel.objects.filter(alias=publishing.ALIAS, version=OuterRef("pk"))
        found: QuerySet[ModelVersion] = super().get_queryset(request)
        return found.annotate(is_active=Exists(pointers))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Say what serves, and when the next version is planned, above the list."""
        plan = {
            "pointer": publishing.pointer(),
            "shadow": Shadow.objects.filter(stopped_at=None).select_related("version").first(),
            "next_rebuild": rebuild_schedule.next_planned(timezone.now()),
            "rebuild_task": rebuild_schedule.TASK,
        }
        return super().changelist_view(request, {**plan, **(extra_context or {})})  # type: ignore[no-any-return]

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

    @display(description="manifest's SHA-256 begins with")
    def manifest(self, version: ModelVersion) -> str:
        """Return the beginning of the sum: whole, it is wider than a telephone."""
        return version.manifest_sha256[:16] or "–"

    @display(description="took")
    def took(self, version: ModelVersion) -> str:
        """Return the duration of the rebuild."""
        return f"{version.seconds:.0f} s"

    @action(description="Let this version serve …", url_path="promote", permissions=["publish"])
    def promote(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what changes when this version serves; on POST let it."""
        version = get_object_or_404(ModelVersion, pk=object_id)
        return self._move(request, version, "Let this version serve", to=version.name)

    @action(description="Roll back …", url_path="roll-back", permissions=["publish"])
    def roll_back(self, request: HttpRequest) -> HttpResponse:
        """Show what changes when the version before serves again; on POST let it."""
        try:
            version = publishing.earlier()
        except ModelUnavailable as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect(reverse("admin:recommender_modelversion_changelist"))
        return self._move(request, version, "Roll back to the one before", to=None)

    def _move(self, request: HttpRequest, version: ModelVersion, verb: str, *, to: str | None) -> HttpResponse:
        page = promotion_page.page(version)
        if request.method == "POST" and not page.obstacle:
            try:
                moved = publishing.rollback(to, seen=request.POST.get("seen", ""))
            except RecommenderError as error:
                self.message_user(request, f"Nothing has changed. {error}", messages.ERROR)
                return redirect(request.path)
            self.message_user(request, f"{moved.name} serves from the next request on.")
            return redirect(reverse("admin:recommender_modelversion_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{verb}: {version.name}",
            "verb": verb,
            "page": page,
        }
        return render(request, "admin/recommender/promote_version.html", context)

    @action(description="Shadow …", url_path="shadow", permissions=["view"])
    def shadow(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what came of trying this version beside the one that serves; on POST start or stop it."""
        version = get_object_or_404(ModelVersion, pk=object_id)
        page = shadow_page.page(version)
        form = shadow_page.ShadowForm(
            request.POST if request.POST.get("do") == "start" else None,
            initial={"percent": page.trial.percent} if page.trial is not None else None,
        )
        if request.method == "POST":
            if not self.has_publish_permission(request):
                raise PermissionDenied
            if self._shadowed(request, version, form):
                return redirect(request.path)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Shadow: {version.name}",
            "page": page,
            "form": form,
            "may_shadow": self.has_publish_permission(request),
        }
        return render(request, "admin/recommender/shadow_version.html", context)

    def _shadowed(self, request: HttpRequest, version: ModelVersion, form: shadow_page.ShadowForm) -> bool:
        """Do what the form asks; False, and nothing changed, when its percentage is not one."""
        if not form.is_bound:
            stopped = switch.stop()
            self.message_user(request, "Nothing shadows any more." if stopped else "Nothing shadowed.")
            return True
        if not form.is_valid():
            return False
        try:
            trial = switch.start(version, form.cleaned_data["percent"], request.user)
        except RecommenderError as error:
            self.message_user(request, f"Nothing has changed. {error}", messages.ERROR)
        else:
            message = f"{version.name} shadows for {trial.percent} % of the users, from the next request on."
            self.message_user(request, message)
        return True

    def has_publish_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Allow who may change versions."""
        return request.user.has_perm("recommender.change_modelversion")


def _figure(version: ModelVersion, name: str) -> str:
    found = version.metrics.get("final", {}).get(name)
    return "–" if found is None else f"{found:.4f}"
