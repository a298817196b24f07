"""Counters that Prometheus reads."""

from __future__ import annotations

from prometheus_client import Counter

events_judged = Counter("interactions_events_judged", "Events by what became of them.", ["status", "code"])
impressions_dropped = Counter(
    "interactions_impressions_dropped", "Shown items that could be kept neither in Redis nor in Postgres."
)
impressions_refused = Counter("interactions_impressions_refused", "Lists of the stream that became dead letters.")
