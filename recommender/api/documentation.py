"""What the OpenAPI document says about recommendations: shapes and examples, no behaviour."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework import serializers

from recommender.api.parameters import LONGEST_ID, LONGEST_WORD
from recommender.paging import LONGEST_CURSOR
from recommender.serving import KINDS, MAXIMUM_LIMIT

TAG = "Recommendations"

ID: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": LONGEST_ID}
ID_OR_NOBODY = {"type": "string", "maxLength": LONGEST_ID}
WORD = {"type": "string", "maxLength": LONGEST_WORD, "pattern": "^([A-Za-z0-9]+([-_][A-Za-z0-9]+)*)?$"}
VERSION = {"type": "string", "maxLength": LONGEST_WORD, "pattern": "^([A-Za-z0-9]+([-_.+][A-Za-z0-9]+)*)?$"}
VARIANT = {"type": "string", "pattern": "^([^:]+:.+)?$"}
FLAG = ["0", "1", "false", "true"]
USER_ID = OpenApiParameter("user_id", ID, OpenApiParameter.PATH, description="The site's own id of the user.")
SEED_ID = OpenApiParameter("item_id", ID, OpenApiParameter.PATH, description="The item the list is about.")
PAGE = OpenApiParameter("page", str, OpenApiParameter.PATH, description="Name of a page that has placements.")
TYPE = OpenApiParameter("type", str, enum=KINDS, description="Kind of list; default: the placement's own.")
LIMIT = OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": MAXIMUM_LIMIT}, description="Items.")
CONTEXT = OpenApiParameter("context", str, description="Placement the list is for, e.g. `homepage`.")
EXCLUDE = OpenApiParameter("exclude", str, description="Item ids that must not be in it, comma-separated.")
ITEM = OpenApiParameter("item_id", ID, description="Seed for `similar` and `because_you_watched`.")
EXPAND = OpenApiParameter("expand", str, enum=["item"], description="Put each item's card into the answer.")
EXPLAIN = OpenApiParameter("explain", str, enum=FLAG, description="Add the trace of every stage.")
CURSOR = OpenApiParameter(
    "cursor",
    {"type": "string", "maxLength": LONGEST_CURSOR},
    description="Page through a list of up to 100 items: empty for the first page, then each answer's `next_cursor` "
    "with the same parameters; `limit` is the size of a page. No page repeats an item or changes, whatever is "
    "published meanwhile. A list is kept for half an hour after its last page; then, or altered, the cursor is "
    "`cursor_invalid`.",
)
QUERY_USER = OpenApiParameter("user_id", ID_OR_NOBODY, description="Whom it is shown to; empty: nobody in particular.")
VISITOR = [
    OpenApiParameter("language", WORD, description="The visitor's, e.g. `pt-BR`; some rules are for some languages."),
    OpenApiParameter("device", WORD, description="The visitor's, e.g. `mobile`; some rules are for some devices."),
    OpenApiParameter("app_version", VERSION, description="Of what shows the list, e.g. `3.12.1`; noted with it."),
    OpenApiParameter("consent", str, enum=FLAG, description="0: answer as for nobody in particular and store nothing."),
    OpenApiParameter("variant", VARIANT, description="`experiment:variant` that is to be shown, and counted nowhere."),
]
OF_A_LIST = [LIMIT, CONTEXT, EXCLUDE, EXPAND, EXPLAIN, *VISITOR]


class CardDocument(serializers.Serializer[Any]):
    """What a carousel shows of an item."""

    title = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    category = serializers.CharField(allow_blank=True)
    tags = serializers.ListField(child=serializers.CharField())
    creators = serializers.ListField(child=serializers.CharField())
    image_url = serializers.CharField(allow_null=True)
    url = serializers.CharField()
    year = serializers.IntegerField(allow_null=True)


class RecommendationDocument(serializers.Serializer[Any]):
    """One item of a list."""

    item_id = serializers.CharField()
    score = serializers.FloatField(help_text="0..1, comparable within one list only.")
    reason = serializers.CharField(help_text="True to the score: names the history item that contributed most.")
    model_version = serializers.CharField(allow_null=True)
    item = CardDocument(required=False, help_text="Only with `expand=item`.")


class ListDocument(serializers.Serializer[Any]):
    """One list."""

    recommendations = RecommendationDocument(many=True)
    experiment_id = serializers.CharField(allow_null=True)
    variant = serializers.CharField(allow_null=True)
    request_id = serializers.UUIDField(help_text="Send it with the events that this list leads to.")
    placement = serializers.CharField(allow_blank=True)
    title = serializers.CharField(allow_blank=True)
    seed_item_id = serializers.CharField(allow_null=True)
    fallback = serializers.BooleanField(help_text="The popular list answered instead.")
    fallback_reason = serializers.CharField(allow_null=True)
    next_cursor = serializers.CharField(
        required=False, allow_null=True, help_text="Only with `cursor`: of the next page; null on the last one."
    )
    trace = serializers.DictField(required=False, help_text="Only with `explain=1`.")


class PageDocument(serializers.Serializer[Any]):
    """The lists of one page, top to bottom; no item stands in two of them."""

    page = serializers.CharField()
    carousels = ListDocument(many=True)


LIST: dict[str, Any] = {
    "recommendations": [
        {
            "item_id": "item_12345",
            "score": 0.94,
            "reason": "Because you watched Inception",
            "model_version": "v3",
        }
    ],
    "experiment_id": "homepage-recipe",
    "variant": "control",
    "request_id": "0b7ad2f1-3c92-4d3c-8a51-4bb4f4c1c8de",
    "placement": "homepage",
    "title": "For you",
    "seed_item_id": None,
    "fallback": False,
    "fallback_reason": None,
}
LIST_EXAMPLE = OpenApiExample("A personal list", LIST, response_only=True)
PAGE_EXAMPLE = OpenApiExample("The home page", {"page": "home", "carousels": [LIST]}, response_only=True)
