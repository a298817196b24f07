"""Addresses that the carousels' scripts use. Include them where the tags load rows late or report what is seen."""

from __future__ import annotations

from django.urls import path

from recommender import row_views

app_name = "recommender"

urlpatterns = [
    path("late", row_views.late_row, name="late_row"),
    path("row", row_views.row_page, name="row"),
    path("report", row_views.report, name="report"),
]
