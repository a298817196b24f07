"""What every operation of the OpenAPI document has in common: the security scheme and the errors in their one shape."""

from __future__ import annotations

from functools import cache
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator

from recsite.authentication import KEYWORD

ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "field", "index", "request_id", "docs"],
            "properties": {
                "code": {"type": "string", "description": "Stable; compare this.", "example": "field_required"},
                "message": {"type": "string", "description": "For people.", "example": "title is missing."},
                "field": {"type": "string", "nullable": True, "description": "Path of the field.", "example": "title"},
                "index": {"type": "integer", "nullable": True, "description": "Place in a batch.", "example": None},
                "request_id": {"type": "string", "format": "uuid", "description": "Also the header X-Request-Id."},
                "docs": {"type": "string", "description": "Where the codes are explained."},
            },
        }
    },
}
EXAMPLE = {
    "error": {
        "code": "field_required",
        "message": "title is missing.",
        "field": "title",
        "index": None,
        "request_id": "5f0c1c3e-8a4e-4d0e-9d0f-0b7f6f5b2a11",
        "docs": "/api/v1/docs#errors",
    }
}
ALWAYS = {
    "400": "The request cannot be used as it is; `code` and `field` say why.",
    "401": "No key (`auth_missing`) or a wrong one (`auth_invalid`).",
    "403": "The key lacks the scope (`scope_missing`).",
    "429": "Too many requests a minute (`rate_limited`); retry after `Retry-After` seconds.",
    "503": "The database cannot be reached; retry after `Retry-After` seconds.",
}
LIMIT_HEADERS = {
    "Retry-After": "Seconds until requests are answered again.",
    "RateLimit-Limit": "Requests a minute.",
    "RateLimit-Remaining": "Requests that are left.",
    "RateLimit-Reset": "Seconds until there are as many again as the limit.",
}
WITH_PATH_PARAMETER = {"404": "What the path names does not exist."}
WITH_BODY = {
    "411": "The body has no Content-Length (`length_required`).",
    "413": "The body or the batch is too large.",
    "415": "Not `application/json`, or compressed.",
}
CLOSED = ("BatchRequest", "BulkItem", "BulkItems", "EmbeddingDocument", "ItemFields", "MergeRequest", "UserFields")
"""Bodies in which an unknown field is refused; answers may get new fields any time."""


@cache
def document() -> dict[str, Any]:
    """Return the whole document, made once a process."""
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return made


def add_errors(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Add the error answers to every operation (a post-processing hook of drf-spectacular)."""
    schemas = result["components"].setdefault("schemas", {})
    schemas["Error"] = ERROR
    for name in CLOSED:
        schemas[name]["additionalProperties"] = False
    for path, operations in result["paths"].items():
        for operation in operations.values():
            errors = dict(ALWAYS)
            if "{" in path:
                errors |= WITH_PATH_PARAMETER
            if "requestBody" in operation:
                errors |= WITH_BODY
                operation["requestBody"]["required"] = True
            stated = {
                status: answer["description"] for status, answer in operation["responses"].items() if status >= "400"
            }
            for status, description in (errors | stated).items():
                made = _limited if status == "429" else _response
                operation["responses"][status] = made(description)
            operation["responses"] = dict(sorted(operation["responses"].items()))
    return result


def _response(description: str) -> dict[str, Any]:
    content = {"schema": {"$ref": "#/components/schemas/Error"}, "example": EXAMPLE}
    return {"description": description, "content": {"application/json": content}}


def _limited(description: str) -> dict[str, Any]:
    number = {"schema": {"type": "integer", "minimum": 0}}
    described = {name: {"description": text, **number} for name, text in LIMIT_HEADERS.items()}
    return {**_response(description), "headers": described}


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # registers itself untyped
    """The security scheme of the OpenAPI document."""

    target_class = "recsite.authentication.ApiKeyAuthentication"
    name = KEYWORD

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the scheme: a header that holds the keyword and the key."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Api-Key <key>`, as `manage.py create_api_key` prints it.",
        }
