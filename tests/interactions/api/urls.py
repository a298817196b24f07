"""The interactions' routes alone, where `recsite.urls` has them."""

from __future__ import annotations

from django.urls import include, path

handler400 = "recsite.errors.bad_request"
handler404 = "recsite.errors.page_not_found"
handler500 = "recsite.errors.server_error"

urlpatterns = [path("api/v1/", include("interactions.api.urls"))]
