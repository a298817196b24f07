"""The recommender's routes, relative to /api/v1/."""

from __future__ import annotations

from django.urls import path

from recommender.api.views import BatchView, PageView, RecommendationsView, SimilarView

urlpatterns = [
    path("recommendations", BatchView.as_view(), name="recommendations_of_several"),
    path("recommendations/<str:user_id>", RecommendationsView.as_view(), name="recommendations"),
    path("similar/<str:item_id>", SimilarView.as_view(), name="similar"),
    path("pages/<str:page>", PageView.as_view(), name="page"),
]
