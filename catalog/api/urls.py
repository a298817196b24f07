"""The catalogue's routes, relative to /api/v1/."""

from __future__ import annotations

from django.urls import path

from catalog.api.views import ItemEmbeddingView, ItemsView, ItemView

urlpatterns = [
    path("items", ItemsView.as_view(), name="items"),
    path("items/<str:item_id>", ItemView.as_view(), name="item"),
    path("items/<str:item_id>/embeddings/<str:space>", ItemEmbeddingView.as_view(), name="item_embedding"),
]
