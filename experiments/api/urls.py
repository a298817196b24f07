"""Addresses of the experiments' API, below `/api/v1/`."""

from __future__ import annotations

from django.urls import path

from experiments.api.views import ReportView

urlpatterns = [
    path("experiments/<slug:experiment_id>/report", ReportView.as_view(), name="experiment-report"),
]
