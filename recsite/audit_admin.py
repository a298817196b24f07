"""The record of what was changed in admin, to be read only."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display

from catalog.paginating import EstimatingPaginator
from recsite.models import AuditEntry

LONGEST = 80


@admin.register(AuditEntry)
class AuditEntryAdmin(ModelAdmin):  # type: ignore[misc]
    """Who has changed what, and when."""

    list_display: ClassVar = ["at", "actor", "action", "table", "row", "what"]
    list_filter: ClassVar = ["action", "table"]
    search_fields: ClassVar = ["actor", "=row"]
    date_hierarchy = "at"
    paginator = EstimatingPaginator
    list_per_page = 50
    show_full_result_count = False

    @display(description="what changed")
    def what(self, entry: AuditEntry) -> str:
        """Name the columns that differ, with both values."""
        before, after = entry.before or {}, entry.after or {}
        if not before or not after:
            return str((after or before).get("name", ""))
        pairs = ((name, before.get(name), after[name]) for name in after if before.get(name) != after[name])
        return "; ".join(f"{name}: {_short(old)} → {_short(new)}" for name, old, new in pairs if name != "updated_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: triggers write these rows."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: it is a record."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: it is a record."""
        return False


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
