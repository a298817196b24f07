"""What the OpenAPI document says about events and people: shapes and examples, no behaviour (`validation` checks)."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, PolymorphicProxySerializer
from rest_framework import serializers

from interactions.preferences import MOST

EVENTS_TAG = "Events"
USERS_TAG = "Users"
ID: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 200}
USER_ID = OpenApiParameter("user_id", ID, OpenApiParameter.PATH, description="The site's own id of the person.")


class EventFields(serializers.Serializer[Any]):
    """One event. Unknown fields are ignored."""

    event_id = serializers.UUIDField(required=False, help_text="Makes a retry safe even without a timestamp.")
    user_id = serializers.CharField(max_length=200)
    item_id = serializers.CharField(max_length=200)
    event_type = serializers.CharField(max_length=50, help_text="`view`, `click`, `watch`, `rating`, `purchase`, …")
    value = serializers.FloatField(required=False, allow_null=True, help_text="A rating, a price, seconds watched.")
    timestamp = serializers.DateTimeField(required=False, allow_null=True, help_text="RFC 3339 with offset; else now.")
    context = serializers.DictField(  # type: ignore[assignment] # a field, not Field.context
        required=False,
        allow_null=True,
        help_text="Anything about the moment. `country` (two letters) is where it counts as trending.",
    )
    request_id = serializers.UUIDField(required=False, help_text="Of the recommendation answer that led to it.")


class EventBatch(serializers.Serializer[Any]):
    """Several events."""

    events = serializers.ListField(child=EventFields(), max_length=1000)


EVENT_OR_EVENTS = PolymorphicProxySerializer(
    component_name="EventOrEvents", serializers=[EventFields, EventBatch], resource_type_field_name=None
)


class EventVerdict(serializers.Serializer[Any]):
    """What became of one event."""

    index = serializers.IntegerField()
    status = serializers.ChoiceField(choices=["accepted", "duplicate", "rejected"])
    code = serializers.CharField(required=False, help_text="Why it was rejected.")
    message = serializers.CharField(required=False)
    field = serializers.CharField(required=False)
    warning = serializers.CharField(required=False, help_text="`clock_skew`: more than five minutes ahead.")


class EventsVerdict(serializers.Serializer[Any]):
    """What became of a batch."""

    accepted = serializers.IntegerField()
    duplicate = serializers.IntegerField()
    rejected = serializers.IntegerField()
    results = EventVerdict(many=True)


class Preferences(serializers.Serializer[Any]):
    """What somebody likes: shapes his first lists."""

    categories = serializers.ListField(child=serializers.CharField(allow_blank=True), max_length=MOST, required=False)
    tags = serializers.ListField(child=serializers.CharField(allow_blank=True), max_length=MOST, required=False)
    items = serializers.ListField(child=serializers.CharField(allow_blank=True), max_length=MOST, required=False)


class UserFields(serializers.Serializer[Any]):
    """What a site may write about a person. Fields left out stay as they are."""

    preferences = Preferences(required=False, help_text="At most 32 KB. Anything else in it is kept as it is.")
    country = serializers.RegexField(
        r"^([A-Za-z]{2})?$", required=False, allow_blank=True, help_text="ISO 3166-1 alpha-2, or empty."
    )
    consent = serializers.ChoiceField(choices=["granted", "withheld"], required=False)
    consent_version = serializers.CharField(
        required=False, allow_blank=True, max_length=50, help_text="Of the text he was shown."
    )


class UserDocument(serializers.Serializer[Any]):
    """A person's own fields."""

    user_id = serializers.CharField()
    country = serializers.CharField(allow_blank=True)
    preferences = serializers.DictField()
    consent = serializers.ChoiceField(choices=["granted", "withheld"])
    consent_at = serializers.DateTimeField(allow_null=True, help_text="When he last said so.")
    consent_version = serializers.CharField(allow_blank=True, help_text="Of the text he was shown.")
    created_at = serializers.DateTimeField()


class ExportedEvent(serializers.Serializer[Any]):
    """One stored event."""

    event_id = serializers.UUIDField()
    item_id = serializers.CharField(allow_null=True)
    event_type = serializers.CharField()
    timestamp = serializers.DateTimeField()
    received_at = serializers.DateTimeField()
    value = serializers.FloatField(allow_null=True)
    context = serializers.DictField(allow_null=True)  # type: ignore[assignment] # a field, not Field.context
    request_id = serializers.UUIDField(allow_null=True)


class ExportedImpression(serializers.Serializer[Any]):
    """One item that was shown."""

    request_id = serializers.UUIDField()
    item_id = serializers.CharField(allow_null=True)
    shown_at = serializers.DateTimeField()
    placement = serializers.CharField()
    position = serializers.IntegerField()
    source = serializers.CharField()  # type: ignore[assignment] # a field, not Field.source
    model_version = serializers.CharField()
    experiment_id = serializers.CharField(allow_blank=True)
    variant = serializers.CharField(allow_blank=True)


class UserExport(UserDocument):
    """Everything stored about a person. Who was only shown lists has no profile: its fields are null."""

    country = serializers.CharField(allow_blank=True, allow_null=True)
    preferences = serializers.DictField(allow_null=True)
    consent = serializers.ChoiceField(choices=["granted", "withheld"], allow_null=True)
    consent_version = serializers.CharField(allow_blank=True, allow_null=True)
    created_at = serializers.DateTimeField(allow_null=True)
    account = serializers.CharField(allow_null=True, help_text="Name of his account on the site.")
    events = ExportedEvent(many=True)
    impressions = ExportedImpression(many=True)
    refused_events = serializers.ListField(child=serializers.DictField(), help_text="Events that could not be stored.")
    exposures = serializers.ListField(child=serializers.DictField(), help_text="Variants of experiments he was shown.")
    shadow_lists = serializers.ListField(child=serializers.DictField(), help_text="Lists compared in the last week.")


class ErasureReceipt(serializers.Serializer[Any]):
    """What is gone."""

    user_id = serializers.CharField()
    erased = serializers.DictField(child=serializers.IntegerField(), help_text="Rows by kind.")


class MergeVerdict(serializers.Serializer[Any]):
    """What moved."""

    to = serializers.CharField()
    moved = serializers.DictField(child=serializers.IntegerField(), help_text="Rows by kind.")

    def get_fields(self) -> dict[str, Any]:
        """Return the fields; `from` is a keyword and cannot be an attribute."""
        return {"from": serializers.CharField(), **super().get_fields()}


class MergeRequest(serializers.Serializer[Any]):
    """The two ids."""

    to = serializers.CharField(max_length=200, help_text="The known person; created if need be.")

    def get_fields(self) -> dict[str, Any]:
        """Return the fields; `from` is a keyword and cannot be an attribute."""
        return {"from": serializers.CharField(max_length=200, help_text="The anonymous id."), **super().get_fields()}


NO_SUCH_USER = OpenApiResponse(description="`from` is unknown (`user_unknown`).")
MERGE_REFUSED = OpenApiResponse(
    description="`from` has an account and is not anonymous (`merge_refused`), or the first request with this "
    "`Idempotency-Key` is under way (`idempotency_key_in_use`)."
)
NOT_RECORDED = OpenApiResponse(
    description="The key lacks the scope (`scope_missing`), or a single event's user has not agreed to be recorded "
    "or his browser sends `Sec-GPC: 1` or `DNT: 1` (`consent_withheld`)."
)
ID_CONFLICT = OpenApiResponse(
    description="A single event's `event_id` is taken by another (`id_conflict`), or the first request with this "
    "`Idempotency-Key` is under way (`idempotency_key_in_use`)."
)
EVENTS_REQUEST = OpenApiExample(
    "Two events, the second of an unknown type",
    value={
        "events": [
            {
                "event_id": "6f1c2f0e-9d1c-4c3e-8f55-0123456789ab",
                "user_id": "ann",
                "item_id": "inception",
                "event_type": "rating",
                "value": 4.5,
                "timestamp": "2024-01-15T10:30:00Z",
                "context": {"source": "homepage_carousel"},
            },
            {"user_id": "ann", "item_id": "heat", "event_type": "stare"},
        ]
    },
    request_only=True,
)
EVENTS_ANSWER = OpenApiExample(
    "One stored, one refused",
    value={
        "accepted": 1,
        "duplicate": 0,
        "rejected": 1,
        "results": [
            {"index": 0, "status": "accepted"},
            {
                "index": 1,
                "status": "rejected",
                "code": "event_type_unknown",
                "message": "There is no event type 'stare'; valid are: click, view, watch.",
                "field": "event_type",
            },
        ],
    },
    response_only=True,
    status_codes=["202"],
)
_USER = {"country": "FR", "preferences": {"categories": ["Comedy"], "tags": ["heist"]}, "consent": "granted"}
_USER_DOCUMENT = {
    "user_id": "ann",
    **_USER,
    "consent_at": "2024-01-15T10:30:00Z",
    "consent_version": "2024-01",
    "created_at": "2024-01-15T10:30:00Z",
}
USER_REQUEST = OpenApiExample("A person", value=_USER, request_only=True)
USER_ANSWER = OpenApiExample("A person", value=_USER_DOCUMENT, response_only=True)
EXPORT_ANSWER = OpenApiExample(
    "A person with one event",
    value={
        **_USER_DOCUMENT,
        "events": [
            {
                "event_id": "6f1c2f0e-9d1c-4c3e-8f55-0123456789ab",
                "item_id": "inception",
                "event_type": "rating",
                "timestamp": "2024-01-15T10:30:00Z",
                "received_at": "2024-01-15T10:30:01Z",
                "value": 4.5,
                "context": None,
                "request_id": None,
            }
        ],
        "impressions": [],
        "refused_events": [],
        "exposures": [],
        "shadow_lists": [],
        "account": None,
    },
    response_only=True,
)
ERASURE_ANSWER = OpenApiExample(
    "A receipt",
    value={
        "user_id": "ann",
        "erased": {
            "impressions_waiting": 0,
            "impressions": 120,
            "event_keys": 12,
            "events": 14,
            "dead_letters": 0,
            "profiles": 1,
        },
    },
    response_only=True,
)
MERGE_REQUEST = OpenApiExample("Signed in", value={"from": "anon-81f3", "to": "ann"}, request_only=True)
MERGE_ANSWER = OpenApiExample(
    "Merged",
    value={"from": "anon-81f3", "to": "ann", "moved": {"events": 3, "impressions": 40}},
    response_only=True,
)
