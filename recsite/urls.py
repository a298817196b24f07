"""Every address of the site: pages, API, admin, operations."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from recsite.api_docs import DocsView, SchemaView
from recsite.health import livez, readyz
from recsite.metrics import metrics
from recsite.quick_start import quick_start

handler400 = "recsite.errors.bad_request"
handler403 = "recsite.errors.permission_denied"
handler404 = "recsite.errors.page_not_found"
handler500 = "recsite.errors.server_error"

api: list[URLPattern | URLResolver] = [
    path("", include("recommender.api.urls")),
    path("", include("interactions.api.urls")),
    path("", include("catalog.api.urls")),
    path("", include("experiments.api.urls")),
    path("schema", SchemaView.as_view(), name="schema"),
    path("quick-start", quick_start, name="quick-start"),
    path("docs", DocsView.as_view(), name="docs"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include(api)),
    path("admin/", admin.site.urls),
    path("livez", livez, name="livez"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("recommender/", include("recommender.urls")),
    path("", include("recsite.site.urls")),
]
