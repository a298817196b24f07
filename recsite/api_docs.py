"""The OpenAPI document and its interactive page. Both open without a key; everything they describe asks for one."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recsite.error_codes import ERROR_CODES
from recsite.openapi import document

# Swagger UI styles its elements inline and draws its arrows from data: images; its scripts come from this site.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class SchemaView(APIView):
    """The document as JSON, made once a process (a tenth of a second)."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """Answer the document."""
        return Response(document())


class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI, served from this site, with the table of error codes that every error links to."""

    template_name = "api_docs.html"
    url_name = "schema"

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Answer the page, or with `?script` the script that starts it."""
        response: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        response.data["error_codes"] = ERROR_CODES
        response.headers["Content-Security-Policy"] = POLICY
        return response
