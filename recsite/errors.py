"""Every error of the API in one JSON shape, whoever raised it.

`handle_exception` renders what a view raised. What Django answers by itself (unknown path, refused body, a crash)
passes through the handlers at the end, which the URLconf names: JSON under /api/, pages elsewhere.
"""

from __future__ import annotations

import logging
import threading
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response

from catalog.api.errors import ApiError
from recommender.exceptions import (
    BackendError,
    CursorInvalid,
    RecommenderError,
    RequestError,
    UnknownItem,
    UnknownPlacement,
)
from recsite.rate_limits import RateLimited
from recsite.request_ids import request_id

logger = logging.getLogger(__name__)

DOCS = "/api/v1/docs#errors"
API_PREFIX = "/api/"
RETRY_AFTER_SECONDS = 5
"""A killed Postgres is back in 3 to 5 seconds."""

CHUNK = 1 << 16
MOST_TAKEN = 32 << 20
"""Bytes of a refused body that are still read; whoever sends more is cut off."""

TAKING_WAITS_SECONDS = 0.1
_taking = threading.Lock()

_DRF_CODES: dict[type[exceptions.APIException], str] = {
    exceptions.ParseError: "json_invalid",
    exceptions.NotAuthenticated: "auth_missing",
    exceptions.AuthenticationFailed: "auth_invalid",
    exceptions.PermissionDenied: "scope_missing",
    exceptions.NotFound: "not_found",
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.NotAcceptable: "not_acceptable",
    exceptions.UnsupportedMediaType: "media_type_unsupported",
}


def body(
    request: Any, code: str, message: str, *, field: str | None = None, index: int | None = None
) -> dict[str, Any]:
    """Return the error document."""
    return {
        "error": {
            "code": code,
            "message": message,
            "field": field,
            "index": index,
            "request_id": request_id(request),
            "docs": DOCS,
        }
    }


def handle_exception(exception: Exception, context: dict[str, Any]) -> Response | None:
    """Render what a view raised; None for a programming error, which Django then logs and `server_error` answers."""
    refusal = as_api_error(exception)
    if refusal is None:
        return None
    request = context["request"]
    take_rest_of_body(getattr(request, "_request", request))
    headers = {"X-Request-Id": request_id(request), "Cache-Control": "no-store"}
    if refusal.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        logger.warning("request %s answered 503: %s", request_id(request), exception)
    if auth_header := getattr(exception, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if isinstance(exception, RateLimited):
        headers |= exception.headers
    document = body(request, refusal.code, refusal.message, field=refusal.field, index=refusal.index)
    return Response(document, status=refusal.status_code, headers=headers)


def take_rest_of_body(request: HttpRequest) -> None:
    """Read and forget what the client still sends, up to MOST_TAKEN bytes.

    Most clients send the whole body before they look at the answer: left unread, a large one breaks their connection
    and they never learn why they were refused.
    """
    # One that sends a byte a second would hold a thread for as long as it likes; two must not hold two.
    if not _taking.acquire(timeout=TAKING_WAITS_SECONDS):
        return
    taken = 0
    try:
        while taken < MOST_TAKEN and (chunk := request.read(CHUNK)):
            taken += len(chunk)
    except OSError:
        return
    finally:
        _taking.release()


def as_api_error(exception: Exception) -> ApiError | None:
    """Return the refusal that stands for `exception`, None when it is a programming error."""
    match exception:
        case ApiError():
            return exception
        case RecommenderError():
            return _from_recommender(exception)
        case Http404():
            return ApiError("not_found", str(exception) or "There is nothing here.", status=404)
        case DjangoPermissionDenied():
            return ApiError("scope_missing", str(exception) or "This is not permitted.", status=403)
        case RequestDataTooBig():
            return ApiError("body_too_large", "The body is larger than this server takes.", status=413)
        case OperationalError() | InterfaceError():
            return ApiError("unavailable", "The database cannot be reached; please retry.", status=503)
        case DataError():
            return ApiError("value_invalid", "A value cannot be stored as it is.")
        case exceptions.ValidationError():
            return _from_validation(exception)
        case exceptions.APIException():
            code = _DRF_CODES.get(type(exception), exception.default_code)
            return ApiError(code, str(exception.detail), status=exception.status_code)
    return None


def _from_recommender(error: RecommenderError) -> ApiError | None:
    match error:
        case UnknownItem() | UnknownPlacement():
            return ApiError(error.code, str(error), status=404)
        case CursorInvalid():
            return ApiError(error.code, str(error), field="cursor")
        case RequestError():
            return ApiError(error.code, str(error))
        case BackendError():
            return ApiError(error.code, "Recommendations are not available now; please retry.", status=503)
    return None


def _from_validation(error: exceptions.ValidationError) -> ApiError:
    """Return the first message of a serializer, with the path of its field."""
    path: list[str] = []
    detail: Any = error.detail
    while isinstance(detail, dict | list):
        if isinstance(detail, dict):
            name, detail = next((name, value) for name, value in detail.items() if value)
            path.append(str(name))
        else:
            detail = next(value for value in detail if value)
    field = ".".join(part for part in path if part != "non_field_errors") or None
    return ApiError(getattr(detail, "code", "value_invalid"), str(detail), field=field)


def _json(request: HttpRequest, status: HTTPStatus, code: str, message: str) -> JsonResponse:
    headers = {"X-Request-Id": request_id(request), "Cache-Control": "no-store"}
    return JsonResponse(body(request, code, message), status=status, headers=headers)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a path that no route matches (the URLconf's handler404)."""
    if not request.path.startswith(API_PREFIX):
        return defaults.page_not_found(request, exception)
    message = f"There is no route {request.path}; the documentation lists all of them."
    return _json(request, HTTPStatus.NOT_FOUND, "not_found", message)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django refused before any view saw it (handler400)."""
    if not request.path.startswith(API_PREFIX):
        return defaults.bad_request(request, exception)
    if isinstance(exception, RequestDataTooBig):
        refusal = as_api_error(exception)
        assert refusal is not None  # noqa: S101 -- the case above has one
        return _json(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, refusal.code, refusal.message)
    return _json(request, HTTPStatus.BAD_REQUEST, "request_invalid", "The request cannot be understood.")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what a page, not the API's views, refused (handler403)."""
    if not request.path.startswith(API_PREFIX):
        return defaults.permission_denied(request, exception)
    return _json(request, HTTPStatus.FORBIDDEN, "scope_missing", "This is not permitted.")


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a crash (handler500): the trace is in the log under the request's id, never in the answer.

    The log has the route and not the path, which may name a person.
    """
    match = request.resolver_match
    route = match.route if match else "an unmatched path"
    logger.error("request %s crashed: %s %s", request_id(request), request.method, route, exc_info=True)
    if not request.path.startswith(API_PREFIX):
        return defaults.server_error(request)
    message = "Something went wrong on our side; the log has it under this request id."
    return _json(request, HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", message)
