"""People, event types, events, impressions and dead letters in the admin, quick with a billion rows."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from catalog.paginating import EstimatingPaginator
from interactions import partitions, profiles
from interactions.erasure import erase_user
from interactions.models import DeadLetter, Event, EventType, Impression, UserProfile
from interactions.paginating import PartitionedPaginator
from interactions.replay import replay


@admin.register(UserProfile)
class UserProfileAdmin(ModelAdmin):  # type: ignore[misc]
    """People. A saved change shows on the next request; deleting one erases everything about him."""

    list_display: ClassVar = ["user_id", "country", "consent", "account", "created_at"]
    list_select_related: ClassVar = ["account"]
    list_filter: ClassVar = ["consent"]
    search_fields: ClassVar = ["user_id__startswith"]
    search_help_text = "The beginning of a user id"
    autocomplete_fields: ClassVar = ["account"]
    readonly_fields: ClassVar = ["created_at"]
    ordering: ClassVar = ["-id"]
    paginator = EstimatingPaginator
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: UserProfile | None = None) -> list[str]:
        """Fix the id once given: what Redis holds goes by it."""
        return ["created_at", "user_id"] if obj is not None else ["created_at"]

    def save_model(self, request: HttpRequest, obj: UserProfile, form: Any, change: bool) -> None:
        """Save and make it show on the next request."""
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            profiles.announce([obj.user_id])

    def delete_model(self, request: HttpRequest, obj: UserProfile) -> None:
        """Erase the person."""
        erase_user(obj.user_id)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[UserProfile]) -> None:
        """Erase each person."""
        for user_id in queryset.values_list("user_id", flat=True):
            erase_user(user_id)


@admin.register(EventType)
class EventTypeAdmin(ModelAdmin):  # type: ignore[misc]
    """Kinds of events. A change shows on the next request; training takes it with the next model."""

    list_display: ClassVar = ["name", "weight", "half_life_days", "marks_seen"]
    search_fields: ClassVar = ["name"]

    def get_readonly_fields(self, request: HttpRequest, obj: EventType | None = None) -> list[str]:
        """Fix the name once given: senders use it."""
        return ["name"] if obj is not None else []

    def has_delete_permission(self, request: HttpRequest, obj: EventType | None = None) -> bool:
        """Refuse: stored events refer to it. A weight of 0 makes them count for nothing."""
        return False


class AppendOnlyAdmin(ModelAdmin):  # type: ignore[misc]
    """Base of the partitioned tables: to be read only, the newest partition unless something is searched for."""

    search_help_text = "A user id (exact), or the id of a row or of a request"
    search_fields: ClassVar = ["user_id"]
    paginator = PartitionedPaginator
    show_full_result_count = False
    time_field: str

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring the items along in one query; a join would hide the rows of deleted items."""
        queryset: QuerySet[Any] = super().get_queryset(request).prefetch_related("item")
        return queryset

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search by index only: exact ids. Without a term, keep to the newest partition. No duplicates."""
        term = search_term.strip().replace("\0", "")
        if term:
            return self.found(queryset, term), False
        start = partitions.newest_start(queryset.model._meta.db_table)
        return (queryset.filter(**{f"{self.time_field}__gte": start}) if start else queryset), False

    def found(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        """Return the rows of an id."""
        raise NotImplementedError

    @admin.display(description="item")
    def item_title(self, row: Any) -> str:
        """Return the item's title, its key when it is deleted."""
        try:
            return str(row.item)
        except ObjectDoesNotExist:
            return f"deleted ({row.item_id})"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: rows come by recording."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: the table is append-only."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: rows go with their person or their partition."""
        return False


@admin.register(Event)
class EventAdmin(AppendOnlyAdmin):
    """What users did."""

    list_display: ClassVar = ["occurred_at", "user", "event_type", "item_title", "value"]
    list_select_related: ClassVar = ["user", "event_type"]
    list_filter: ClassVar = ["event_type"]
    fields: ClassVar = [
        "event_id",
        "occurred_at",
        "received_at",
        "user",
        "event_type",
        "item_title",
        "value",
        "context",
        "request_id",
    ]
    readonly_fields: ClassVar = fields
    time_field = "occurred_at"

    def found(self, queryset: QuerySet[Event], term: str) -> QuerySet[Event]:
        """Return the events of a user, or those with this event or request id."""
        by_user = queryset.filter(user__in=UserProfile.objects.filter(user_id=term))
        uuid = _uuid(term)
        if uuid is None or by_user.exists():
            return by_user
        by_request = queryset.filter(request_id=uuid)
        return by_request if by_request.exists() else queryset.filter(event_id=uuid)


@admin.register(Impression)
class ImpressionAdmin(AppendOnlyAdmin):
    """What was shown."""

    list_display: ClassVar = [
        "shown_at",
        "user_id_text",
        "placement",
        "position",
        "item_title",
        "source",
        "model_version",
        "experiment_id",
        "variant",
    ]
    fields: ClassVar = [
        "impression_id",
        "request_id",
        *list_display,
        "phase",
        "rules_version",
        "propensity",
        "presentation",
    ]
    readonly_fields: ClassVar = fields
    list_display_links: ClassVar = None
    time_field = "shown_at"

    def found(self, queryset: QuerySet[Impression], term: str) -> QuerySet[Impression]:
        """Return the rows of a user, or of a request."""
        by_user = queryset.filter(user_id_text=term)
        uuid = _uuid(term)
        return by_user if uuid is None or by_user.exists() else queryset.filter(request_id=uuid)


@admin.register(DeadLetter)
class DeadLetterAdmin(ModelAdmin):  # type: ignore[misc]
    """What was refused and why; events whose item has arrived since can be replayed."""

    list_display: ClassVar = ["received_at", "code", "item_id", "message", "source", "replayed_at"]
    list_filter: ClassVar = ["code", "source", ("replayed_at", admin.EmptyFieldListFilter)]
    search_fields: ClassVar = ["item_id__startswith"]
    search_help_text = "The beginning of an item id"
    actions: ClassVar = ["replay_selected"]
    paginator = EstimatingPaginator
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: dead letters come by recording."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: DeadLetter | None = None) -> bool:
        """Allow actions on the list, nothing on a single letter."""
        return obj is None and bool(super().has_change_permission(request, obj))

    @admin.action(description="Replay the selected events", permissions=["change"])
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        """Send the events again; what is still refused stays."""
        chosen = list(queryset.values_list("pk", flat=True))
        stored = replay(chosen)
        level = messages.SUCCESS if stored == len(chosen) else messages.WARNING
        self.message_user(request, f"{stored} of {len(chosen)} events are stored now.", level)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
