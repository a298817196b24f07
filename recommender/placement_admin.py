"""Placements in the admin: where carousels stand, and what each of them shows."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from recommender import conf, exploration_page, placement_access
from recommender.listing import SIMILAR
from recommender.models import Placement
from recommender.serving import PERSONALIZED


class PlacementForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable when running
    """A placement whose recipes are chosen from those there are."""

    class Meta:
        model = Placement
        fields: ClassVar = [
            "title", "name", "recipe", "limit", "is_active", "minimum", "fallback", "diversity", "freshness",
            "explores", "page", "position", "dedupe_group", "cache_seconds", "editors",
        ]  # fmt: skip
        widgets: ClassVar = {"editors": UnfoldAdminCheckboxSelectMultipleWidget}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        recipes = [(name, name) for name in conf.get("RECIPES")]
        for name, choices in (("recipe", recipes), ("fallback", [("", "the recipe's own"), *recipes])):
            # Who may only look at a placement has a form without fields.
            if name in self.fields:
                self.fields[name] = forms.ChoiceField(
                    choices=choices,
                    required=name == "recipe",
                    help_text=self.fields[name].help_text,
                    widget=UnfoldAdminSelectWidget,
                )

    def clean(self) -> dict[str, Any]:
        """Refuse figures that contradict each other."""
        given: dict[str, Any] = super().clean() or {}
        if given.get("fallback") and given["fallback"] == given.get("recipe"):
            self.add_error("fallback", "The fallback must be another recipe than the row's own.")
        if given.get("minimum", 0) > given.get("limit", 100):
            self.add_error("minimum", f"The row has {given['limit']} items at most: it could never be shown.")
        return given


@admin.register(Placement)
class PlacementAdmin(ModelAdmin):  # type: ignore[misc]
    """Where carousels stand."""

    form = PlacementForm
    list_display: ClassVar = ["name", "title", "stands_on", "recipe", "in_hands_of", "is_active"]
    list_filter: ClassVar = ["page", "recipe", "is_active"]
    search_fields: ClassVar = ["name", "title"]
    fieldsets: ClassVar = [
        ("What it shows", {"fields": ["title", "name", "recipe", "limit", "is_active"]}),
        ("When it finds too little", {"fields": ["minimum", "fallback"]}),
        ("How varied and how new", {"fields": ["diversity", "freshness", "explores"]}),
        ("On its page", {"fields": ["page", "position", "dedupe_group", "cache_seconds"]}),
        ("Who may edit it", {"fields": ["editors"]}),
    ]
    actions_list: ClassVar = ["exploration_page"]
    how_to_show: ClassVar = ("How the site shows it", {"fields": ["shown_by"]})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Placement]:
        """Read whose they are in one query for all."""
        found: QuerySet[Placement] = super().get_queryset(request)
        return found.prefetch_related("editors")

    def get_fieldsets(self, request: HttpRequest, obj: Placement | None = None) -> list[Any]:
        """Say how the site shows it, once there is something to show."""
        return [*self.fieldsets, self.how_to_show] if obj is not None else [*self.fieldsets]

    def get_readonly_fields(self, request: HttpRequest, obj: Placement | None = None) -> list[str]:
        """Keep the name, which templates, rules and experiments know, and whose it is from who may not decide that."""
        kept = ["shown_by", "name"] if obj is not None else []
        return kept if request.user.has_perm(placement_access.EVERY) else [*kept, "editors"]

    def get_prepopulated_fields(self, request: HttpRequest, obj: Placement | None = None) -> dict[str, list[str]]:
        """Make the name of a new one from its title."""
        return {} if obj is not None else {"name": ["title"]}

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Put a new one at the end of the home page, for the user."""
        last = Placement.objects.filter(page="home").aggregate(last=Max("position"))["last"]
        first = {"recipe": PERSONALIZED, "position": 0 if last is None else last + 1}
        return {**first, **super().get_changeform_initial_data(request)}

    def has_change_permission(self, request: HttpRequest, obj: Placement | None = None) -> bool:
        """Allow who has the role, where the placement is in nobody's hands or in those of a group of his."""
        return super().has_change_permission(request, obj) and (
            obj is None or placement_access.may_edit(request.user, obj)
        )

    def has_delete_permission(self, request: HttpRequest, obj: Placement | None = None) -> bool:
        """Allow the same of those who may delete placements."""
        return super().has_delete_permission(request, obj) and (
            obj is None or placement_access.may_edit(request.user, obj)
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Say above a placement that is in others' hands why it can only be looked at."""
        closed = placement_access.closed_to(request.user)
        found = self.get_object(request, object_id) if closed and request.method == "GET" else None
        if found is not None and found.name in closed:
            self.message_user(request, placement_access.refusal(closed, [found.name]), messages.WARNING)
        return super().change_view(request, object_id, form_url, extra_context)  # type: ignore[no-any-return]

    def response_add(self, request: HttpRequest, obj: Placement, post_url_continue: str | None = None) -> HttpResponse:
        """Say how the site shows the new one."""
        self.message_user(request, format_html("Show it with {}", _ways(obj)))
        return super().response_add(request, obj, post_url_continue)  # type: ignore[no-any-return]

    @action(description="Exploration…", url_path="exploration", permissions=["view"])
    def exploration_page(self, request: HttpRequest) -> HttpResponse:
        """Show what the exploration slot has learned of its items."""
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "Exploration"}
        return render(request, "admin/recommender/exploration.html", context | {"page": exploration_page.page()})

    @display(description="page", ordering="page")
    def stands_on(self, placement: Placement) -> str:
        """Name its page and its place there."""
        return f"{placement.page}, {placement.position}"

    @display(description="who may edit it")
    def in_hands_of(self, placement: Placement) -> str:
        """Name the groups."""
        return ", ".join(group.name for group in placement.editors.all()) or "everybody"

    @display(description="In a template or by the API")
    def shown_by(self, placement: Placement) -> str:
        """Return what to write where it is to be shown."""
        return _ways(placement)


def _ways(placement: Placement) -> SafeString:
    about = " item=item" if placement.recipe == SIMILAR else ""
    seed = "&item_id=ITEM" if about else ""
    return format_html(
        '<code>{{% carousel "{name}"{about} %}}</code> in a template, '
        "<code>GET /api/v1/recommendations/USER?context={name}{seed}</code>, or with its whole page by "
        "<code>GET /api/v1/pages/{page}?user_id=USER{seed}</code>",
        name=placement.name,
        page=placement.page,
        about=about,
        seed=seed,
    )
