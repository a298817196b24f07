"""The forms of rules in admin: what could never be published is refused at its field, before it is saved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BaseInlineFormSet
from django.utils.functional import cached_property
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from catalog import item_search
from catalog.item_search import FoundItem
from recommender import placement_access
from recommender.models import Placement, Rule, RuleClause
from recommender.rules import draft, validation
from recommender.segments import SEGMENTS

OF_PARTS = ("items", "where")
"""What `validation` says of the parts below a rule; everything else stands in its own form."""
WEEKDAYS = list(enumerate(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), start=1))
FORM_FIELDS = {"share": "share_percent", "holdout": "holdout_percent"}


class RuleForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable when running
    """A rule; what is impossible is said at its field."""

    weekdays = forms.TypedMultipleChoiceField(
        choices=WEEKDAYS, coerce=int, required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )
    segments = forms.MultipleChoiceField(
        choices=[(name, name) for name in SEGMENTS],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=f"None: everybody. {'. '.join(f'{name.title()}: {meaning}' for name, meaning in SEGMENTS.items())}.",
    )

    class Meta:
        model = Rule
        exclude: ClassVar = ["updated_at"]
        widgets: ClassVar = {
            "note": UnfoldAdminTextareaWidget(attrs={"rows": 2}),
            "placements": UnfoldAdminCheckboxSelectMultipleWidget,
            **dict.fromkeys(("countries", "languages", "devices"), UnfoldAdminTextInputWidget),
        }

    closed: ClassVar[Mapping[str, str]] = {}
    """Placements that who writes may not touch (`placement_access.closed_to`); the admin sets it for each user."""

    def clean(self) -> dict[str, Any]:
        """Refuse what could never be published, and rules for placements that are in others' hands."""
        cleaned: dict[str, Any] = super().clean() or {}
        self._refuse_closed(cleaned.get("placements", ()))
        if self.errors:
            return cleaned
        rule = Rule(**{name: value for name, value in cleaned.items() if name != "placements"})
        for field, message in errors_of(rule).items():
            if field not in OF_PARTS:
                self.add_error(FORM_FIELDS.get(field, field), message)
        return cleaned

    def _refuse_closed(self, placements: Iterable[Placement]) -> None:
        """Refuse a rule that is, or was until now, for a placement that is closed."""
        if not self.closed or "placements" in self.errors:
            return
        was = [self.instance.placements.values_list("name", flat=True)] if self.instance.pk else []
        for names in (*was, [placement.name for placement in placements]):
            refused = placement_access.refusal(self.closed, names)
            if refused:
                self.add_error("placements", refused)
                return


def errors_of(rule: Rule, items: Sequence[int] = (0,), clauses: Sequence[RuleClause] = ()) -> dict[str, str]:
    """Return what is wrong with a rule that need not be stored, by field."""
    return validation.errors(draft.spec_from(rule, items=items, clauses=clauses, placements=()))


class PickedFormSet(BaseInlineFormSet):  # type: ignore[type-arg] # not subscriptable when running
    """The items that a rule names."""

    @cached_property
    def known(self) -> dict[int, FoundItem]:
        """Return the stored ones, read at once."""
        return item_search.by_pk([picked.item_id for picked in self.get_queryset()])

    def add_fields(self, form: Any, index: int | None) -> None:
        """Let the pickers draw what they hold without asking one by one."""
        super().add_fields(form, index)
        if "item" in form.fields:
            picker = form.fields["item"].widget
            getattr(picker, "widget", picker).known = self.known

    def clean(self) -> None:
        """Remember them for the formset of the conditions, which looks at both."""
        super().clean()
        self.instance.picked_now = [form.cleaned_data["item"].pk for form in _kept(self)]


class ClauseFormSet(BaseInlineFormSet):  # type: ignore[type-arg] # not subscriptable when running
    """The conditions on a rule's items."""

    def clean(self) -> None:
        """Refuse a rule that means no items, or others than it may."""
        super().clean()
        if any(self.errors) or not self.instance.action:
            return
        clauses = [form.instance for form in _kept(self)]
        found = errors_of(self.instance, getattr(self.instance, "picked_now", ()), clauses)
        wrong = [found[part] for part in OF_PARTS if part in found]
        if wrong:
            raise ValidationError(wrong)


def _kept(formset: Any) -> list[Any]:
    return [
        form
        for form in formset.forms
        if form.is_valid() and form.has_changed() | bool(form.instance.pk) and not form.cleaned_data.get("DELETE")
    ]
