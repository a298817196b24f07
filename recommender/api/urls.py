"""The recommender's routes, relative to /api/v1/."""

from __future__ import annotations

from django.urls import path

from recommender.api.views import PageView, RecommendationsView, SimilarView

urlpatterns = [
    path("recommendations/<str:user_id>", RecommendationsView.as_view(), name="recommendations"),
    path("similar/<str:item_id>", SimilarView.as_view(), name="similar"),
    path("pages/<str:page>", PageView.as_view(), name="page"),
]
