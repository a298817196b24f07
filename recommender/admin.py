"""The admin of this app: placements here, each of the other parts in a file of its own."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget

from recommender import conf, job_admin, rule_admin, version_admin
from recommender.models import Placement

__all__ = ["job_admin", "rule_admin", "version_admin"]


class PlacementForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable when running
    """A placement whose recipe is chosen from those there are."""

    class Meta:
        model = Placement
        fields: ClassVar = [
            "name",
            "page",
            "position",
            "recipe",
            "title",
            "limit",
            "minimum",
            "diversity",
            "explores",
            "is_active",
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(name, name) for name in conf.get("RECIPES")]
        self.fields["recipe"] = forms.ChoiceField(choices=choices, widget=UnfoldAdminSelectWidget)


@admin.register(Placement)
class PlacementAdmin(ModelAdmin):  # type: ignore[misc]
    """Where carousels stand."""

    form = PlacementForm
    list_display: ClassVar = ["name", "title", "page", "position", "recipe", "limit", "minimum", "is_active"]
    list_filter: ClassVar = ["page", "is_active"]
    search_fields: ClassVar = ["name", "title"]
