"""The interactions' routes, relative to /api/v1/."""

from __future__ import annotations

from django.urls import path

from interactions.api.views import EventsView, MergeView, UserView

urlpatterns = [
    path("events", EventsView.as_view(), name="events"),
    path("users/merge", MergeView.as_view(), name="merge_users"),
    path("users/<str:user_id>", UserView.as_view(), name="user"),
]
