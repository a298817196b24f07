"""Answer times out of buckets, against numbers worked out by hand."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, Histogram

from recsite import latency


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Histogram:
    registry = CollectorRegistry()
    monkeypatch.setattr(latency, "counters", lambda: registry)
    return Histogram(
        "recsite_request_seconds", "", ["view", "method", "status"], buckets=(0.1, 0.2, 0.4), registry=registry
    )


def test_a_quantile_lies_in_its_bucket_in_proportion(seconds: Histogram) -> None:
    for value, view in [(0.05, "similar"), (0.15, "similar"), (0.15, "recommendations"), (0.3, "similar")]:
        seconds.labels(view, "GET", "200").observe(value)
    seconds.labels("metrics", "GET", "200").observe(9)  # not asked for
    # Of 4: the 2nd of the 2 in 0.1..0.2 is at half of it; the 3.5th is half way through 0.2..0.4.
    assert latency.quantiles({"similar", "recommendations"}, (0.5, 0.875)) == pytest.approx((0.15, 0.3))


def test_what_is_slower_than_the_last_bucket_is_told_by_its_end(seconds: Histogram) -> None:
    seconds.labels("similar", "GET", "200").observe(7)
    assert latency.quantiles({"similar"}, (0.5,)) == (0.4,)


def test_without_requests_there_is_no_figure(seconds: Histogram) -> None:
    assert latency.quantiles({"similar"}, (0.5, 0.95)) == ()
    seconds.labels("metrics", "GET", "200").observe(1)
    assert latency.quantiles({"similar"}, (0.5, 0.95)) == ()
