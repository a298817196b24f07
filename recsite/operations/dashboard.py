"""The example dashboard for Grafana: `python -m recsite.operations.dashboard` writes it anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("dashboard.json")
WIDTH, HEIGHT = 12, 8
"""Of a panel; the board is 24 wide."""

PANELS: tuple[tuple[str, str, str, str], ...] = (
    (
        "Requests a second, by status",
        "reqps",
        "{{status}}",
        "sum by (status) (rate(recsite_request_seconds_count[5m]))",
    ),
    (
        "99 of 100 answers within",
        "s",
        "{{view}}",
        "histogram_quantile(0.99, sum by (le, view) (rate(recsite_request_seconds_bucket[5m])))",
    ),
    (
        "99 of 100 runs of a stage within",
        "s",
        "{{stage}}",
        "histogram_quantile(0.99, sum by (le, stage) (rate(recommender_stage_seconds_bucket[5m])))",
    ),
    ("Fallbacks a second", "reqps", "{{reason}}", "sum by (reason) (rate(recommender_fallbacks_total[5m]))"),
    (
        "Lists shown again from the cache",
        "percentunit",
        "{{outcome}}",
        "sum by (outcome) (rate(recommender_result_cache_total[5m]))",
    ),
    (
        "Events a second",
        "reqps",
        "{{status}} {{code}}",
        "sum by (status, code) (rate(interactions_events_judged_total[5m]))",
    ),
    ("Age of the model", "s", "", "max(recsite_model_age_seconds)"),
    ("A rebuild waits", "s", "", "max(recsite_rebuild_waiting_seconds)"),
    ("Lists not yet written", "short", "", "max(recsite_impressions_waiting)"),
    ("Lost impressions a second", "reqps", "", "sum(rate(interactions_impressions_dropped_total[5m]))"),
    ("Rows in no partition", "short", "{{table}}", "max by (table) (recsite_default_partition_rows)"),
    ("Refused events that wait", "short", "{{code}}", "max by (code) (recsite_dead_letters)"),
    ("Postgres and Redis answer", "short", "", "min(recsite_postgres_up) + min(recsite_redis_up)"),
    ("Replicas that are read", "short", "{{replica}}", "min by (replica) (recsite_replica_read)"),
    (
        "Refused or put off a second",
        "reqps",
        "{{status}}",
        'sum by (status) (rate(recsite_request_seconds_count{status=~"429|503"}[5m]))',
    ),
    ("Lists of a shadow left out a second", "reqps", "", "sum(rate(recommender_shadow_dropped_total[5m]))"),
    ("Refused under overload a second", "reqps", "{{kind}}", "sum by (kind) (rate(recsite_shed_requests_total[5m]))"),
    ("Model files that could not be read", "short", "", "sum(increase(recommender_model_load_failures_total[15m]))"),
    (
        "Lists noted that were no lists, a second",
        "reqps",
        "",
        "sum(rate(interactions_impressions_refused_total[5m]))",
    ),
    (
        "Messages of Kafka not yet in Postgres",
        "short",
        "{{partition}}",
        "max by (partition) (interactions_event_log_lag)",
    ),
    (
        "Messages of Kafka that could not be stored",
        "short",
        "",
        "sum(increase(interactions_event_log_dead_total[15m]))",
    ),
)
"""Title, unit, legend, expression."""


def document() -> dict[str, Any]:
    """Return the dashboard as Grafana imports it."""
    return {
        "title": "recsite",
        "uid": "recsite",
        "schemaVersion": 39,
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "30s",
        "panels": [_panel(number, *panel) for number, panel in enumerate(PANELS)],
    }


def text() -> str:
    """Return it as the file has it."""
    return json.dumps(document(), indent=1) + "\n"


def _panel(number: int, title: str, unit: str, legend: str, expression: str) -> dict[str, Any]:
    row, column = divmod(number, 24 // WIDTH)
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": title,
        "gridPos": {"x": column * WIDTH, "y": row * HEIGHT, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "targets": [{"refId": "A", "expr": expression, "legendFormat": legend or title}],
    }


if __name__ == "__main__":
    FILE.write_text(text())
