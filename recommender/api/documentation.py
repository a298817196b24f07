"""What the OpenAPI document says about recommendations: shapes and examples, no behaviour."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from recommender.api.batch import MOST_USERS
from recommender.api.parameters import LONGEST_ID, LONGEST_WORD, MOST_EXCLUDED
from recommender.paging import LONGEST_CURSOR
from recommender.serving import KINDS, MAXIMUM_LIMIT

TAG = "Recommendations"

ID: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": LONGEST_ID}
ID_OR_NOBODY = {"type": "string", "maxLength": LONGEST_ID}
WORD_PATTERN = "^([A-Za-z0-9]+([-_][A-Za-z0-9]+)*)?$"
WORD = {"type": "string", "maxLength": LONGEST_WORD, "pattern": WORD_PATTERN}
VERSION_PATTERN = "^([A-Za-z0-9]+([-_.+][A-Za-z0-9]+)*)?$"
VERSION = {"type": "string", "maxLength": LONGEST_WORD, "pattern": VERSION_PATTERN}
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
    "published meanwhile. A list is kept for half an hour after its last page; then its cursor is `cursor_invalid`.",
)
QUERY_USER = OpenApiParameter("user_id", ID_OR_NOBODY, description="Whom it is shown to; empty: nobody in particular.")
VISITOR = [
    OpenApiParameter("language", WORD, description="The visitor's, e.g. `pt-BR`; some rules are for some languages."),
    OpenApiParameter("device", WORD, description="The visitor's, e.g. `mobile`; some rules are for some devices."),
    OpenApiParameter("app_version", VERSION, description="Of what shows the list, e.g. `3.12.1`; noted with it."),
    OpenApiParameter(
        "consent",
        str,
        enum=FLAG,
        description="0: answer as for nobody in particular and store nothing, as for browsers that send GPC or DNT.",
    ),
    OpenApiParameter("variant", VARIANT, description="`experiment:variant` that is to be shown, and counted nowhere."),
]
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="The ETag of an answer that is at hand already."
)
ETAG = OpenApiParameter(
    "ETag",
    str,
    OpenApiParameter.HEADER,
    description="Of what is shown to nobody in particular (no `user_id`, or `consent=0`); personal answers are not "
    "to be kept and have none.",
    response=[200, 304],
)
NOT_THERE = OpenApiResponse(
    description="The seed (`item_unknown`) or the placement (`placement_unknown`) does not exist."
)
CONDITIONAL = [IF_NONE_MATCH, ETAG]
STILL_HOLDS = OpenApiResponse(description="What the request's `If-None-Match` names still holds.")


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
    presentation_id = serializers.IntegerField(
        required=False,
        help_text="Only where editors gave the item several titles or pictures: which one `item` shows, 0 is its own.",
    )
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


class BatchRequest(serializers.Serializer[Any]):
    """Whom lists are for, and what they are asked for: the parameters of a single list."""

    user_ids = serializers.ListField(child=serializers.CharField(max_length=LONGEST_ID), max_length=MOST_USERS)
    type = serializers.ChoiceField(choices=KINDS, required=False)
    context = serializers.CharField(required=False, allow_blank=True)  # type: ignore[assignment] # not Field.context
    limit = serializers.IntegerField(min_value=1, max_value=MAXIMUM_LIMIT, required=False)
    exclude = serializers.ListField(
        child=serializers.CharField(allow_blank=True), max_length=MOST_EXCLUDED, required=False
    )
    item_id = serializers.CharField(max_length=LONGEST_ID, required=False)
    expand = serializers.ChoiceField(choices=["item"], required=False)
    language = serializers.RegexField(WORD_PATTERN, max_length=LONGEST_WORD, required=False, allow_blank=True)
    device = serializers.RegexField(WORD_PATTERN, max_length=LONGEST_WORD, required=False, allow_blank=True)
    app_version = serializers.RegexField(VERSION_PATTERN, max_length=LONGEST_WORD, required=False, allow_blank=True)


class UserVerdict(serializers.Serializer[Any]):
    """What became of one user of a batch."""

    index = serializers.IntegerField(help_text="0 is first.")
    status = serializers.ChoiceField(choices=["accepted", "rejected"])
    user_id = serializers.CharField(required=False, help_text="Of an accepted one.")
    list = ListDocument(required=False, help_text="His list.")
    code = serializers.CharField(required=False, help_text="Of a rejection.")
    message = serializers.CharField(required=False)
    field = serializers.CharField(required=False, allow_null=True)


class BatchDocument(serializers.Serializer[Any]):
    """Lists in the order of the users."""

    accepted = serializers.IntegerField()
    rejected = serializers.IntegerField()
    results = UserVerdict(many=True)


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
BATCH_REQUEST = OpenApiExample(
    "Two users, one of them without an id",
    value={"user_ids": ["ann", ""], "context": "homepage", "limit": 1},
    request_only=True,
)
BATCH_EXAMPLE = OpenApiExample(
    "One list, one refusal",
    value={
        "accepted": 1,
        "rejected": 1,
        "results": [
            {"index": 0, "status": "accepted", "user_id": "ann", "list": LIST},
            {
                "index": 1,
                "status": "rejected",
                "code": "id_invalid",
                "message": "user_ids[1] is empty.",
                "field": "user_ids[1]",
            },
        ],
    },
    response_only=True,
)
