"""What the OpenAPI document says about the catalogue: shapes and examples, no behaviour (`catalog.records` checks)."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema_field
from rest_framework import serializers

from catalog.api.once import HEADER, KEY
from catalog.records import VISIBLE

TAG = "Catalogue"
ID: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 200}
ITEM_ID = OpenApiParameter("item_id", ID, OpenApiParameter.PATH, description="The site's own id of the item.")
IDEMPOTENCY_KEY = OpenApiParameter(
    HEADER,
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": f"^{KEY}$"},
    OpenApiParameter.HEADER,
    description="Of your choice, such as a UUID: the same request sent again under it within a day does nothing and is "
    "answered as the first time (`Idempotent-Replayed: true`). A refusal leaves the key unused.",
)
KEY_IN_USE = OpenApiResponse(
    description="The first request with this `Idempotency-Key` is under way (`idempotency_key_in_use`)."
)
KEY_REUSED = OpenApiResponse(
    description="This `Idempotency-Key` came with another request before (`idempotency_key_reused`)."
)
LANGUAGE = r"^([A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*)?$"
ADDRESS = r"^(https?://\S*|/([^/\s]\S*)?)?$"

ITEM: dict[str, Any] = {
    "title": "Inception",
    "description": "A thief enters dreams to plant an idea.",
    "category": "Science fiction",
    "tags": ["dreams", "heist"],
    "creators": ["Christopher Nolan"],
    "language": "en",
    "countries": ["US", "GB"],
    "image_url": "https://cdn.example.org/inception.jpg",
    "url": "/watch/inception",
    "duration_minutes": 148,
    "published_at": "2010-07-16",
    "available_from": "2024-01-01T00:00:00Z",
    "available_until": None,
    "is_active": True,
    "attributes": {"rating": "12A"},
}


@extend_schema_field({"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}, {"maxLength": 0}]})
class MomentField(serializers.CharField):
    """RFC 3339 with an offset, a date (midnight UTC), or empty for none."""


class ItemFields(serializers.Serializer[Any]):
    """An item's fields. Those left out of a PUT get the default; those left out of a bulk upsert stay as they are."""

    title = serializers.RegexField(VISIBLE, max_length=500)
    description = serializers.CharField(max_length=100_000, required=False, allow_blank=True)
    category = serializers.CharField(max_length=100, required=False, allow_blank=True)
    tags = serializers.ListField(child=serializers.CharField(max_length=100), max_length=50, required=False)
    creators = serializers.ListField(child=serializers.CharField(max_length=200), max_length=50, required=False)
    language = serializers.RegexField(LANGUAGE, max_length=16, required=False, help_text="BCP 47, e.g. `pt-BR`.")
    countries = serializers.ListField(
        child=serializers.RegexField(r"^\s*([A-Za-z]{2}\s*)?$"),
        max_length=300,
        required=False,
        help_text="ISO 3166-1 alpha-2.",
    )
    image_url = serializers.RegexField(ADDRESS, max_length=1000, required=False, help_text="http(s) or /path.")
    url = serializers.RegexField(ADDRESS, max_length=1000, required=False, help_text="Empty: the site's page.")
    duration_minutes = serializers.IntegerField(min_value=0, max_value=2**31 - 1, required=False, allow_null=True)
    published_at = MomentField(required=False, allow_null=True, help_text="Date, or RFC 3339 with offset.")
    available_from = MomentField(required=False, allow_null=True)
    available_until = MomentField(required=False, allow_null=True, help_text="After `available_from`.")
    is_active = serializers.BooleanField(required=False, help_text="Off: gone from every list on the next request.")
    attributes = serializers.DictField(required=False, help_text="Anything else, at most 32 KB.")


class ItemDocument(ItemFields):
    """An item with its id."""

    item_id = serializers.CharField(max_length=200)


class BulkItem(ItemFields):
    """An item of a batch."""

    item_id = serializers.CharField(max_length=200)


class BulkItems(serializers.Serializer[Any]):
    """Up to 1,000 items."""

    items = serializers.ListField(child=BulkItem(), max_length=1000)


class ItemVerdict(serializers.Serializer[Any]):
    """What became of one item of a batch."""

    index = serializers.IntegerField(help_text="0 is first.")
    status = serializers.ChoiceField(choices=["accepted", "rejected"])
    code = serializers.CharField(required=False, help_text="Of a rejection.")
    message = serializers.CharField(required=False)
    field = serializers.CharField(required=False, allow_null=True)


class BulkVerdict(serializers.Serializer[Any]):
    """What became of a batch. Accepted items are stored even when others are rejected."""

    accepted = serializers.IntegerField()
    rejected = serializers.IntegerField()
    created = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    results = serializers.ListField(child=ItemVerdict())


class EmbeddingDocument(serializers.Serializer[Any]):
    """A vector as long as its space says."""

    vector = serializers.ListField(child=serializers.FloatField(), min_length=64, max_length=1024)
    model_version = serializers.CharField(max_length=50, required=False, allow_blank=True)


class StoredEmbedding(serializers.Serializer[Any]):
    """What is now stored."""

    item_id = serializers.CharField()
    space = serializers.CharField()
    dimension = serializers.IntegerField()
    model_version = serializers.CharField(allow_blank=True)


STORED_ITEM = OpenApiExample(
    "An item", value={"item_id": "inception", **ITEM, "published_at": "2010-07-16T00:00:00Z"}, response_only=True
)
WRITTEN_ITEM = OpenApiExample("An item", value=ITEM, request_only=True)
GONE_BEFORE = {"title": "Heat", "available_from": "2026-02-01", "available_until": "2026-01-01"}
BULK_REQUEST = OpenApiExample(
    "Two items, the second gone before it comes",
    value={"items": [{"item_id": "inception", "title": "Inception"}, {"item_id": "heat", **GONE_BEFORE}]},
    request_only=True,
)
BULK_ANSWER = OpenApiExample(
    "One stored, one refused",
    value={
        "accepted": 1,
        "rejected": 1,
        "created": 1,
        "changed": 0,
        "unchanged": 0,
        "results": [
            {"index": 0, "status": "accepted"},
            {
                "index": 1,
                "status": "rejected",
                "code": "field_invalid",
                "message": "available_until is not after available_from.",
                "field": "available_until",
            },
        ],
    },
    response_only=True,
)
EMBEDDING_REQUEST = OpenApiExample(
    "A vector (of a space with 64 dimensions)",
    value={"vector": [0.125] * 64, "model_version": "encoder-3"},
    request_only=True,
)
EMBEDDING_ANSWER = OpenApiExample(
    "Stored",
    value={"item_id": "inception", "space": "audio", "dimension": 64, "model_version": "encoder-3"},
    response_only=True,
)
