"""Versions of the rules in the admin: what changed, who wanted it, and publishing, rejecting and rolling back."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from recommender import rule_version_page
from recommender.exceptions import RulesRefused
from recommender.models import ActiveRules, RuleSetVersion
from recommender.rules import versions

LONGEST_REASON = 1000
STATE_COLOURS = {"submitted": "warning", "rejected": "danger", "published": "success"}


class RejectForm(forms.Form):
    """Why a version is rejected."""

    review = forms.CharField(
        label="Why (the editor reads this)",
        max_length=LONGEST_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        error_messages={"required": "Say why, so that the editor knows what to change."},
    )


@admin.register(RuleSetVersion)
class RuleSetVersionAdmin(ModelAdmin):  # type: ignore[misc]
    """What has been submitted and published; a version is shown and never changed."""

    list_display: ClassVar = [
        "__str__",
        "state_label",
        "serves",
        "note",
        "submitted_by",
        "submitted_at",
        "published_at",
    ]
    list_filter: ClassVar = ["state"]
    list_select_related: ClassVar = ["submitted_by"]
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[RuleSetVersion]:
        """Find out what serves in the same query as the list, which needs no rules."""
        found: QuerySet[RuleSetVersion] = super().get_queryset(request)
        return found.annotate(serves_now=Exists(ActiveRules.objects.filter(version=OuterRef("pk")))).defer("rules")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the version; on POST publish it, roll back to it, reject it or make it the draft."""
        version = self.get_object(request, object_id)
        if version is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        if not self.has_view_permission(request, version):
            raise PermissionDenied
        reject = RejectForm(request.POST if request.POST.get("do") == "reject" else None)
        if request.method == "POST":
            if not request.user.has_perm("recommender.publish_rules"):
                raise PermissionDenied
            try:
                done = self._done(request, version, reject)
            except RulesRefused as error:
                for reason in error.reasons:
                    self.message_user(request, str(reason), messages.ERROR)
            else:
                if done:
                    self.message_user(request, f"Version {version.pk} {done}.")
                    return redirect(request.path)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Version {version.pk}",
            "page": rule_version_page.page(version),
            "reject": reject,
            "may_publish": request.user.has_perm("recommender.publish_rules"),
        }
        return render(request, "admin/recommender/rule_version.html", context)

    def _done(self, request: HttpRequest, version: RuleSetVersion, reject: RejectForm) -> str:
        """Do what was clicked; return what has become of the version, "" when the form has an error."""
        match request.POST.get("do"):
            case "publish":
                versions.publish(version, request.user)
                return "serves from the next request on"
            case "draft":
                versions.restore(version, request.user)
                return "is the draft now"
            case "reject" if reject.is_valid():
                versions.reject(version, request.user, reject.cleaned_data["review"])
                return "is rejected"
        return ""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: versions come from the draft."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: a version never changes."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: they are the record of what was shown."""
        return False

    @display(description="state", label=STATE_COLOURS)
    def state_label(self, version: RuleSetVersion) -> tuple[str, str]:
        """Return the state with its colour."""
        return version.state, version.get_state_display()

    @display(description="serves", boolean=True)
    def serves(self, version: RuleSetVersion) -> bool:
        """Tell the one that serves."""
        return bool(version.serves_now)  # type: ignore[attr-defined] # annotated by get_queryset
