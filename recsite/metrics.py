"""Prometheus: how long each view takes, and the few states that deserve an alarm.

With several web processes, set PROMETHEUS_MULTIPROC_DIR to an empty directory before they start: each writes its
counters there and whichever is asked adds them up. `/metrics` needs no key; publish it inside the cluster only.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from recsite.site_state import SiteState

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})

REQUEST_SECONDS = Histogram(
    "recsite_request_seconds",
    "Time to answer, by view.",
    ["view", "method", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)


class RequestMetricsMiddleware:
    """Time every request. Labels are bounded: the route's name, never the path."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        view = (match.view_name or match.route) if match else "unmatched"
        method = request.method if request.method in METHODS else "OTHER"
        REQUEST_SECONDS.labels(view, method, response.status_code).observe(time.perf_counter() - started)
        return response


def counters() -> CollectorRegistry:
    """Return what all processes have counted; what this one has where they do not share a directory."""
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return REGISTRY
    shared = CollectorRegistry()
    MultiProcessCollector(shared)  # type: ignore[no-untyped-call] # registers itself
    return shared


def metrics(request: HttpRequest) -> HttpResponse:
    """Answer all metrics of all processes in Prometheus' text format."""
    state = CollectorRegistry()
    state.register(SiteState())
    return HttpResponse(generate_latest(counters()) + generate_latest(state), content_type=CONTENT_TYPE_LATEST)
