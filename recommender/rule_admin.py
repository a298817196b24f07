"""Rules in the admin: written as a draft, published as a whole; their versions are in `rule_version_admin`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin import actions
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from catalog import bulk_actions
from catalog.item_picker import ItemPicker
from catalog.spreadsheets import SpreadsheetAdmin
from recommender import (
    impact_jobs,
    inspector_page,
    placement_access,
    previewing,
    publishing_page,
    rule_actions,
    rule_calendar,
    rule_effect_page,
)
from recommender.exceptions import RequestError, RulesRefused
from recommender.list_forms import ListForm
from recommender.models import Rule, RuleClause, RuleItem
from recommender.rule_actions import ShiftForm
from recommender.rule_forms import ClauseFormSet, PickedFormSet, RuleForm
from recommender.rule_spreadsheet import RuleResource
from recommender.rules import draft, versions, wording

LONGEST_NOTE = 1000


class PartInline(TabularInline):  # type: ignore[misc]
    """A part of a rule: whoever may write or read rules may do so with their parts."""

    extra = 0
    formfield_overrides: ClassVar = {ArrayField: {"widget": UnfoldAdminTextInputWidget}}

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the user may write rules."""
        return request.user.has_perm("recommender.add_rule") or request.user.has_perm("recommender.change_rule")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the user may write rules."""
        return self.has_add_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the user may write rules."""
        return self.has_add_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the user may see rules."""
        return request.user.has_perm("recommender.view_rule") or self.has_add_permission(request)


class RuleItemInline(PartInline):
    """Hand-picked items."""

    model = RuleItem
    formset = PickedFormSet
    verbose_name_plural = "Which items: picked by hand, in this order"

    def get_queryset(self, request: HttpRequest) -> QuerySet[RuleItem]:
        """Bring the items along."""
        found: QuerySet[RuleItem] = super().get_queryset(request)
        return found.select_related("item")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Pick items by poster and title."""
        return super().formfield_for_foreignkey(db_field, request, **options, widget=ItemPicker)


class RuleClauseInline(PartInline):
    """Conditions."""

    model = RuleClause
    formset = ClauseFormSet
    verbose_name_plural = "Which items: all that meet these conditions"


def _refusal(request: HttpRequest, rules: Iterable[Rule]) -> str:
    """Return why the user may not write one of these rules, "" when he may write all."""
    closed = placement_access.closed_to(request.user)
    if not closed:
        return ""
    named = ([placement.name for placement in rule.placements.all()] for rule in rules)
    return next(filter(None, (placement_access.refusal(closed, names) for names in named)), "")


@admin.register(Rule)
class RuleAdmin(SpreadsheetAdmin, ModelAdmin):  # type: ignore[misc]
    """What editors want. A saved rule is a draft; publishing puts all of them in effect on the next request."""

    resource_classes: ClassVar = [RuleResource]

    form = RuleForm
    inlines: ClassVar = [RuleItemInline, RuleClauseInline]
    list_display: ClassVar = ["name", "what", "where_shown", "priority", "active_from", "active_until", "is_active"]
    list_filter: ClassVar = ["action", "placements", "is_active"]
    search_fields: ClassVar = ["name", "note"]
    list_per_page = 50
    actions: ClassVar = ["activate", "deactivate", "shift", "duplicate", "delete_selected"]
    actions_list: ClassVar = ["calendar_page", "inspector_page", "preview_page", "publish_page"]
    fieldsets: ClassVar = [
        (None, {"fields": ["name", "action", "is_active", "priority", "note"]}),
        (
            "How",
            {"fields": ["position", "multiplier", "slots", "share_percent", "attribute", "at_most", "window"]},
        ),
        ("For whom", {"fields": ["placements", "countries", "languages", "devices", "segments", "holdout_percent"]}),
        ("When", {"fields": ["active_from", "active_until", "weekdays", "opens", "closes", "time_zone"]}),
    ]

    change_form_outer_after_template = "admin/recommender/rule_effect.html"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show below the rule what it was measured to bring or cost."""
        context = {
            **(extra_context or {}),
            "effect": rule_effect_page.page(int(object_id)) if object_id.isdigit() else None,
        }
        return super().change_view(request, object_id, form_url, context)  # type: ignore[no-any-return]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rule]:
        """Read what a line of the list says in three queries, however many rules there are."""
        found: QuerySet[Rule] = super().get_queryset(request)
        return found.prefetch_related("picked__item", "clauses", "placements")

    def get_form(self, request: HttpRequest, obj: Rule | None = None, change: bool = False, **kwargs: Any) -> Any:
        """Tell the form which placements are not in the user's hands."""
        form = super().get_form(request, obj, change=change, **kwargs)
        form.closed = placement_access.closed_to(request.user)
        return form

    def has_delete_permission(self, request: HttpRequest, obj: Rule | None = None) -> bool:
        """Allow who has the role, unless the rule is for a placement that is in others' hands."""
        return super().has_delete_permission(request, obj) and (obj is None or not _refusal(request, [obj]))

    @display(description="what it does")
    def what(self, rule: Rule) -> str:
        """Say the rule in one line."""
        items = ", ".join(
            [str(picked) for picked in rule.picked.all()] + [str(clause) for clause in rule.clauses.all()]
        )
        return f"{wording.deed(draft.spec_of(rule))}{f': {items}' if items else ''}"

    @display(description="placements")
    def where_shown(self, rule: Rule) -> str:
        """Name its placements."""
        return ", ".join(placement.name for placement in rule.placements.all()) or "all"

    @admin.action(description="Switch on", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Rule]) -> HttpResponse | None:
        """Take the chosen rules into the next version."""
        return self._change(request, queryset, title="Switch on", do=rule_actions.switch_on)

    @admin.action(description="Switch off", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[Rule]) -> HttpResponse | None:
        """Leave the chosen rules out of the next version."""
        return self._change(request, queryset, title="Switch off", do=rule_actions.switch_off)

    @admin.action(description="Shift the dates …", permissions=["change"])
    def shift(self, request: HttpRequest, queryset: QuerySet[Rule]) -> HttpResponse | None:
        """Move when the chosen rules begin and end."""
        return self._change(request, queryset, title="Shift the dates", do=rule_actions.shift, form_class=ShiftForm)

    @admin.action(description="Duplicate", permissions=["add"])
    def duplicate(self, request: HttpRequest, queryset: QuerySet[Rule]) -> HttpResponse | None:
        """Write the chosen rules once more, switched off."""
        return self._change(request, queryset, title="Duplicate", do=rule_actions.duplicate)

    @admin.action(description="Delete", permissions=["delete"])
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[Rule]) -> HttpResponse | None:
        """Delete the chosen rules after asking once more."""
        if not self._may_touch(request, queryset):
            return None
        answer: HttpResponse | None = actions.delete_selected(self, request, queryset)
        return answer

    def _change(self, request: HttpRequest, queryset: QuerySet[Rule], **change: Any) -> HttpResponse | None:
        """Carry an action out on rules that may all be written."""
        return bulk_actions.change(self, request, queryset, **change) if self._may_touch(request, queryset) else None

    def _may_touch(self, request: HttpRequest, queryset: QuerySet[Rule]) -> bool:
        """Return whether all of the rules may be written; say why when not."""
        refused = _refusal(request, queryset)
        if refused:
            self.message_user(request, f"Nothing was changed. {refused}", messages.ERROR)
        return not refused

    @action(description="Calendar", url_path="calendar", permissions=["view"])
    def calendar_page(self, request: HttpRequest) -> HttpResponse:
        """Show when the scheduled rules are in effect."""
        page = request.GET.get("page", "0")
        month = rule_calendar.month(
            rule_calendar.asked_month(request.GET.get("month", "")),
            int(page) if page.isdecimal() and len(page) < 6 else 0,
        )
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "Calendar", "month": month}
        return render(request, "admin/recommender/rule_calendar.html", context)

    @action(description="Publish …", url_path="publish", permissions=["submit_rules"])
    def publish_page(self, request: HttpRequest) -> HttpResponse:
        """Show what publishing would change; on POST do it, submit it for review, or roll back."""
        may_publish = request.user.has_perm("recommender.publish_rules")
        if request.POST.get("do") == "measure":
            impact_jobs.ask(request.user)
            return redirect(request.path)
        if request.method == "POST" and self._done(request, request.POST.get("do", ""), may_publish=may_publish):
            return redirect(reverse("admin:recommender_rule_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Publish rules",
            "page": publishing_page.page(may_publish=may_publish),
        }
        return render(request, "admin/recommender/publish_rules.html", context)

    @action(description="Preview …", url_path="preview", permissions=["submit_rules"])
    def preview_page(self, request: HttpRequest) -> HttpResponse:
        """Show one list as it is and as the draft would have it."""
        form = ListForm(request.GET if "placement" in request.GET else None)
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "Preview rules", "form": form}
        if form.is_valid():
            try:
                context["preview"] = previewing.preview(draft.read(), **form.asked())
            except RequestError as error:
                context["refusal"] = str(error)
        return render(request, "admin/recommender/preview_rules.html", context)

    @action(description="Why is this here? …", url_path="why", permissions=["view"])
    def inspector_page(self, request: HttpRequest) -> HttpResponse:
        """Show why an item is, or is not, in somebody's list."""
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "Why is this here?"}
        return render(request, "admin/recommender/inspect.html", context | inspector_page.page(request.GET))

    def _done(self, request: HttpRequest, what: str, *, may_publish: bool) -> bool:
        note = request.POST.get("note", "")[:LONGEST_NOTE]
        try:
            if what == "submit":
                message = f"Version {versions.submit(request.user, note).pk} waits for a review."
            elif not may_publish:
                raise PermissionDenied
            elif what == "roll_back":
                earlier = versions.roll_back(request.user)
                serves = "No rules serve now" if earlier is None else f"Version {earlier.pk} serves again"
                message = f"{serves}; the draft is as it was."
            else:
                message = f"Version {versions.publish_draft(request.user, note).pk} serves from the next request on."
        except RulesRefused as error:
            for reason in error.reasons:
                self.message_user(request, str(reason), messages.ERROR)
            return False
        self.message_user(request, message)
        return True

    def has_submit_rules_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may hand the draft in: whoever may write rules."""
        return request.user.has_perm("recommender.change_rule")
