"""Whose list of which placement an editor wants to look at, and when: the forms of the preview and of the inspector."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from recommender import segment_sample
from recommender.models import Placement, RuleItem
from recommender.segments import SEGMENTS

ITEM = RuleItem._meta.get_field("item")


class ListForm(forms.Form):
    """One list: of a user, of somebody of a segment, or of a new visitor."""

    placement = forms.ModelChoiceField(
        Placement.objects.filter(is_active=True), to_field_name="name", empty_label=None, widget=UnfoldAdminSelectWidget
    )
    user_id = forms.CharField(
        label="User (empty: a new visitor)", max_length=200, required=False, widget=UnfoldAdminTextInputWidget
    )
    segment = forms.ChoiceField(
        label="or somebody of a segment",
        choices=[("", "–"), *((name, f"{name}: {meaning}") for name, meaning in SEGMENTS.items())],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    seed_item_id = forms.CharField(
        label="Item looked at", max_length=200, required=False, widget=UnfoldAdminTextInputWidget
    )
    moment = forms.DateTimeField(
        label="When (empty: now)",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
    )
    language = forms.CharField(max_length=20, required=False, widget=UnfoldAdminTextInputWidget)
    device = forms.CharField(max_length=20, required=False, widget=UnfoldAdminTextInputWidget)
    draw = forms.IntegerField(min_value=0, max_value=10**6, required=False, widget=forms.HiddenInput)

    drawn: tuple[str, ...] = ()
    """Users of the segment, one of whom is looked at; "" is a new visitor."""

    def clean(self) -> dict[str, Any]:
        """Draw users of the segment; without a user of the editor's choice the first one is looked at."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("segment"):
            self.drawn = tuple(segment_sample.users_of(cleaned["segment"], seed=cleaned.get("draw") or 0))
            if not self.drawn:
                self.add_error("segment", "Nobody of the users drawn is in this segment; name a user instead.")
            elif not cleaned.get("user_id"):
                cleaned["user_id"] = self.drawn[0]
        return cleaned

    @property
    def next_draw(self) -> int:
        """What draws others."""
        return (self.cleaned_data.get("draw") or 0) + 1

    def asked(self) -> dict[str, Any]:
        """Return whose list, of which placement and when: arguments of `previewing.preview`."""
        given = self.cleaned_data
        moment = given["moment"]
        return {
            **{name: given[name] for name in ("user_id", "seed_item_id", "language", "device")},
            "placement": given["placement"].name,
            "moment": None if moment is None else moment.timestamp(),
        }


class ItemInListForm(ListForm):
    """One item in one list."""

    item = ITEM.formfield(
        label="Item (title or id)",
        widget=AutocompleteSelect(ITEM, admin.site),
    )
    on_its_page = forms.BooleanField(
        label="Leave out what the rows above show", required=False, widget=UnfoldBooleanSwitchWidget
    )

    field_order = ("placement", "user_id", "segment", "item")

    def asked(self) -> dict[str, Any]:
        """Return the arguments of `inspecting.inspect`."""
        asked = super().asked()
        asked["context"] = asked.pop("placement")
        return {**asked, "item_id": self.cleaned_data["item"].item_id, "on_its_page": self.cleaned_data["on_its_page"]}
