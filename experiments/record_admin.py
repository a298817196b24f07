"""Metrics and exposures in the admin: what is measured, and of whom."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator

from experiments.models import Experiment, Exposure, Metric


@admin.register(Metric)
class MetricAdmin(ModelAdmin):  # type: ignore[misc]
    """What can be measured."""

    list_display: ClassVar = ["name", "kind", "event_type", "attributed_only", "higher_is_better"]
    search_fields: ClassVar = ["name", "event_type"]

    def get_readonly_fields(self, request: HttpRequest, obj: Metric | None = None) -> list[str]:
        """Freeze the definition once an experiment that uses it has started."""
        started = Experiment.objects.exclude(status=Experiment.Status.DRAFT)
        is_used = obj is not None and (
            started.filter(primary_metric=obj).exists() or started.filter(guardrails=obj).exists()
        )
        return (
            ["name", "kind", "event_type", "per_event_type", "attributed_only", "higher_is_better"] if is_used else []
        )


@admin.register(Exposure)
class ExposureAdmin(ModelAdmin):  # type: ignore[misc]
    """Who was exposed to what; written by serving only. Never counted: the table grows with the audience."""

    list_display: ClassVar = ["unit", "variant", "phase", "experiment", "exposed_at"]
    list_filter: ClassVar = ["experiment"]
    list_select_related: ClassVar = ["experiment"]
    search_fields: ClassVar = ["unit__exact"]
    search_help_text = "The whole user id."
    ordering: ClassVar = ["-id"]
    paginator = InfinitePaginator
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: an exposure happens, it is not made."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Exposure | None = None) -> bool:
        """Refuse: see `has_add_permission`."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Exposure | None = None) -> bool:
        """Refuse: single rows taken out would tilt the split."""
        return False
