"""Recommendations over HTTP: parse, call the door, answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, TypedDict

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.api import json_body
from interactions.privacy_signals import refuses_tracking
from recommender import paging, participation, serving
from recommender.api import batch, entity_tags, parameters
from recommender.api import documentation as doc
from recommender.api.documents import list_document
from recommender.api.parameters import Parameters
from recommender.listing import SIMILAR

PRIVATE = {"Cache-Control": "private, no-store"}
"""A personal answer must never come out of a shared cache, nor out of the browser's own: each carries a `request_id`
of its own, and a list shown again without asking would be neither noted as shown nor told from the first when it is
clicked. What a placement's `cache_seconds` saves is the making (`listing`)."""

VISITOR = ("language", "device", "app_version", "consent", participation.PARAMETER)
"""Parameters that every list takes."""


class _Question(TypedDict):
    """What `serving.recommend` and `paging.recommend` are asked alike."""

    kind: str
    context: str
    limit: int | None
    exclude: tuple[str, ...]
    seed_item_id: str
    explain: bool
    language: str
    device: str
    app_version: str


class RecommendationsView(APIView):
    """One list for one user."""

    required_scopes: ClassVar = {"GET": "read"}
    for_pages = True
    accepted: ClassVar = ("type", "context", "limit", "cursor", "exclude", "item_id", "expand", "explain", *VISITOR)

    @extend_schema(
        operation_id="recommend",
        tags=[doc.TAG],
        summary="Recommend items to a user",
        parameters=[
            doc.USER_ID,
            doc.TYPE,
            doc.LIMIT,
            doc.CURSOR,
            doc.CONTEXT,
            doc.EXCLUDE,
            doc.ITEM,
            doc.EXPAND,
            doc.EXPLAIN,
            *doc.VISITOR,
            *doc.CONDITIONAL,
        ],
        responses={200: doc.ListDocument, 304: doc.STILL_HOLDS},
        examples=[doc.LIST_EXAMPLE],
    )
    def get(self, request: Request, user_id: str) -> Response:
        """Answer a list; somebody unknown gets the popular one, with `fallback` set."""
        asked = parameters.parse(request.query_params, self.accepted)
        user_id = parameters.identifier(user_id, "user_id")
        self.check_object_permissions(request, user_id)
        whom = _whom(request, asked, user_id)
        made = _list_of(asked, whom, asked.kind, asked.item_id)
        return _answer(request, asked, whom, made, [made])


class BatchView(APIView):
    """Lists for several users, asked for by a server."""

    required_scopes: ClassVar = {"POST": "read"}

    @extend_schema(
        operation_id="recommend_to_several",
        tags=[doc.TAG],
        summary="Recommend items to up to 100 users",
        request=doc.BatchRequest,
        responses={200: doc.BatchDocument, 404: doc.NOT_THERE},
        examples=[doc.BATCH_REQUEST, doc.BATCH_EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        """Answer a list for each user, or say by index what is wrong with the id. Not for publishable keys. Each list
        counts as shown to its user. What is wrong for all of them refuses the whole request.
        """
        user_ids, asked = batch.parse(json_body.decode_object(request))
        answer = batch.answer(user_ids, lambda user_id: _list_of(asked, user_id, asked.kind, asked.item_id))
        return Response(answer, headers=PRIVATE)


class SimilarView(APIView):
    """Items like one item."""

    required_scopes: ClassVar = {"GET": "read"}
    for_pages = True
    accepted: ClassVar = ("user_id", "limit", "cursor", "context", "exclude", "expand", "explain", *VISITOR)

    @extend_schema(
        operation_id="similar",
        tags=[doc.TAG],
        summary="Find items like an item",
        parameters=[
            doc.SEED_ID,
            doc.QUERY_USER,
            doc.LIMIT,
            doc.CURSOR,
            doc.CONTEXT,
            doc.EXCLUDE,
            doc.EXPAND,
            doc.EXPLAIN,
            *doc.VISITOR,
            *doc.CONDITIONAL,
        ],
        responses={200: doc.ListDocument, 304: doc.STILL_HOLDS},
        examples=[doc.LIST_EXAMPLE],
    )
    def get(self, request: Request, item_id: str) -> Response:
        """Answer a list; an unknown item is 404."""
        asked = parameters.parse(request.query_params, self.accepted)
        self.check_object_permissions(request, asked.user_id)
        whom = _whom(request, asked, asked.user_id)
        made = _list_of(asked, whom, SIMILAR, parameters.identifier(item_id, "item_id"))
        return _answer(request, asked, whom, made, [made])


class PageView(APIView):
    """All lists of one page."""

    required_scopes: ClassVar = {"GET": "read"}
    for_pages = True
    accepted: ClassVar = ("user_id", "limit", "item_id", "expand", *VISITOR)

    @extend_schema(
        operation_id="page",
        tags=[doc.TAG],
        summary="Compose a page of several lists",
        parameters=[
            doc.PAGE,
            doc.QUERY_USER,
            doc.LIMIT,
            doc.ITEM,
            doc.EXPAND,
            *doc.VISITOR,
            *doc.CONDITIONAL,
        ],
        responses={200: doc.PageDocument, 304: doc.STILL_HOLDS},
        examples=[doc.PAGE_EXAMPLE],
    )
    def get(self, request: Request, page: str) -> Response:
        """Answer the page's lists top to bottom; no item stands in two of them, unless editors set them apart."""
        asked = parameters.parse(request.query_params, self.accepted)
        self.check_object_permissions(request, asked.user_id)
        whom = _whom(request, asked, asked.user_id)
        with participation.forcing(asked.variant):
            made = serving.page(
                page,
                user_id=whom,
                seed_item_id=asked.item_id,
                limit=asked.limit,
                language=asked.language,
                device=asked.device,
                app_version=asked.app_version,
            )
        carousels = [list_document(row, expand_item=asked.expand_item) for row in made]
        return _answer(request, asked, whom, {"page": page, "carousels": carousels}, carousels)


def _whom(request: Request, asked: Parameters, user_id: str) -> str:
    """Return whose lists are made and noted as shown: nobody's in particular where he, or his browser, refuses."""
    return user_id if asked.consent and not refuses_tracking(request) else ""


def _list_of(asked: Parameters, whom: str, kind: str, item_id: str) -> dict[str, Any]:
    """Return the document of the one list, or of the page of one, that was asked for."""
    question = _Question(
        kind=kind,
        context=asked.context,
        limit=asked.limit,
        exclude=asked.exclude,
        seed_item_id=item_id,
        explain=asked.explain,
        language=asked.language,
        device=asked.device,
        app_version=asked.app_version,
    )
    next_cursor = None
    with participation.forcing(asked.variant):
        if asked.cursor is None:
            made = serving.recommend(whom, **question)
        else:
            made, next_cursor = paging.recommend(whom, cursor=asked.cursor, **question)
    return list_document(made, expand_item=asked.expand_item, next_cursor=next_cursor)


def _answer(
    request: Request, asked: Parameters, whom: str, document: dict[str, Any], lists: Sequence[dict[str, Any]]
) -> Response:
    """Return what is for one user so that nobody keeps it, and what is for nobody in particular with an entity tag."""
    if whom or asked.explain or asked.cursor is not None:
        return Response(document, headers=PRIVATE)
    return entity_tags.answer(request, document, lists)
