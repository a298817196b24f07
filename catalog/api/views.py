"""The catalogue over HTTP: write, read and remove items, and upload their vectors."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog import embeddings, queries
from catalog.api import documentation as doc
from catalog.api import items, json_body
from catalog.api.errors import ApiError
from catalog.api.once import once
from catalog.importing import upsert_items
from catalog.removing import remove_item


class ItemView(APIView):
    """One item by the site's own id."""

    required_scopes: ClassVar = {"GET": "catalog", "PUT": "catalog", "DELETE": "catalog"}

    @extend_schema(
        operation_id="get_item",
        tags=[doc.TAG],
        summary="Read an item",
        parameters=[doc.ITEM_ID],
        responses=doc.ItemDocument,
        examples=[doc.STORED_ITEM],
    )
    def get(self, request: Request, item_id: str) -> Response:
        """Answer the stored fields; a PUT of them changes nothing."""
        return Response(_stored(item_id))

    @extend_schema(
        operation_id="put_item",
        tags=[doc.TAG],
        summary="Create or replace an item",
        parameters=[doc.ITEM_ID],
        request=doc.ItemFields,
        responses={200: doc.ItemDocument, 201: doc.ItemDocument},
        examples=[doc.WRITTEN_ITEM, doc.STORED_ITEM],
    )
    def put(self, request: Request, item_id: str) -> Response:
        """Store the item as given; fields left out get their defaults. Shown, or gone, on the next request."""
        record = items.record_of(json_body.decode_object(request), item_id=item_id)
        created = upsert_items([record], replace=True).new
        return Response(_stored(item_id), status=201 if created else 200)

    @extend_schema(
        operation_id="delete_item",
        tags=[doc.TAG],
        summary="Delete an item",
        parameters=[doc.ITEM_ID],
        request=None,
        responses={204: None},
    )
    def delete(self, request: Request, item_id: str) -> Response:
        """Delete the item, its vectors and the rules about it; its events stay."""
        if not (items.is_id(item_id) and remove_item(item_id)):
            raise _unknown(item_id)
        return Response(status=204)


class ItemsView(APIView):
    """Many items at once."""

    required_scopes: ClassVar = {"POST": "catalog"}

    @extend_schema(
        operation_id="upsert_items",
        tags=[doc.TAG],
        summary="Create or change up to 1,000 items",
        parameters=[doc.IDEMPOTENCY_KEY],
        request=doc.BulkItems,
        responses={200: doc.BulkVerdict, 409: doc.KEY_IN_USE, 422: doc.KEY_REUSED},
        examples=[doc.BULK_REQUEST, doc.BULK_ANSWER],
    )
    def post(self, request: Request) -> Response:
        """Store the good items and say, by index, what is wrong with the others. Fields left out stay as they are."""
        return once(request, lambda: self._upsert(request))

    def _upsert(self, request: Request) -> Response:
        records, verdicts = items.batch_of(json_body.parse(request))
        counts = upsert_items(records)
        return Response(
            {
                "accepted": len(records),
                "rejected": len(verdicts) - len(records),
                "created": counts.new,
                "changed": counts.changed,
                "unchanged": counts.unchanged,
                "results": verdicts,
            }
        )


class ItemEmbeddingView(APIView):
    """One item's vector in one space."""

    required_scopes: ClassVar = {"PUT": "catalog"}

    @extend_schema(
        operation_id="put_item_embedding",
        tags=[doc.TAG],
        summary="Upload an item's vector",
        parameters=[
            doc.ITEM_ID,
            OpenApiParameter("space", OpenApiTypes.STR, OpenApiParameter.PATH, description="Name of the space."),
        ],
        request=doc.EmbeddingDocument,
        responses={200: doc.StoredEmbedding, 201: doc.StoredEmbedding},
        examples=[doc.EMBEDDING_REQUEST, doc.EMBEDDING_ANSWER],
    )
    def put(self, request: Request, item_id: str, space: str) -> Response:
        """Keep the vector instead of an earlier one; the next rebuild uses it."""
        vector, model_version = items.vector_of(json_body.decode_object(request))
        if not items.is_id(item_id):
            raise _unknown(item_id)
        try:
            created = embeddings.store(item_id, space, vector, model_version=model_version)
        except embeddings.EmbeddingError as error:
            missing = isinstance(error, embeddings.UnknownItem | embeddings.UnknownSpace)
            field = None if missing else "vector"
            raise ApiError(error.code, str(error), status=404 if missing else 400, field=field) from error
        stored = {"item_id": item_id, "space": space, "dimension": len(vector), "model_version": model_version}
        return Response(stored, status=201 if created else 200)


def _stored(item_id: str) -> dict[str, Any]:
    stored = queries.item(item_id) if items.is_id(item_id) else None
    if stored is None:
        raise _unknown(item_id)
    return stored


def _unknown(item_id: str) -> ApiError:
    return ApiError("item_unknown", f"There is no item {item_id!r}.", status=404, field="item_id")
