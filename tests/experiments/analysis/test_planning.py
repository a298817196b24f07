from __future__ import annotations

import pytest
from django.db import connection, transaction

from experiments.analysis import planning
from experiments.analysis.planning import plan
from experiments.models import Experiment, Metric
from interactions.models import Impression
from tests.experiments.conftest import Audience


@pytest.fixture
def lately(audience: Audience) -> Audience:
    """Twenty users saw the home page, four of whom watched from there; five saw another placement."""
    Experiment.objects.update(minimum_effect=0.5)
    audience.expose("control", [f"u{number}" for number in range(20)])
    audience.expose("elsewhere", [f"v{number}" for number in range(5)])
    Impression.objects.filter(variant="elsewhere").update(placement="product_page")
    for unit in ("u0", "u1", "u2", "u3", "u3"):
        audience.act(unit, request_id=audience.requests[unit, "control"])
    audience.act("v0", request_id=audience.requests["v0", "elsewhere"])
    audience.act("u5", "view", request_id=audience.requests["u5", "control"])
    audience.experiment.refresh_from_db()
    return audience


def test_a_plan_follows_from_what_the_placement_has_seen(lately: Audience) -> None:
    """4 of 20: worth finding is 0.3, so 7.84888 · (0.16 + 0.21) / 0.01 = 290.41 users; at 20 / 14 a day for two."""
    found = plan(lately.experiment)
    assert found is not None
    assert (found.baseline, found.users_a_variant, found.users_a_day) == (0.2, 291, pytest.approx(20 / 14))
    assert found.days == 408  # 2 · 291 · 14 / 20


def test_a_mean_has_a_plan_too(lately: Audience) -> None:
    """1, 1, 1 and 2 of 20: mean 0.25, variance (7 - 1.25) / 19; over 0.125² that is 304.04."""
    Metric.objects.update(kind=Metric.Kind.MEAN)
    lately.experiment.primary_metric.refresh_from_db()
    found = plan(lately.experiment)
    assert found is not None
    assert (found.baseline, found.users_a_variant) == (0.25, 305)


def test_every_placement_counts_where_none_is_named(lately: Audience) -> None:
    lately.experiment.placement = ""
    found = plan(lately.experiment)
    assert found is not None
    assert (found.baseline, found.users_a_day) == (0.2, pytest.approx(25 / 14))


@pytest.mark.parametrize("change", ["effect", "impossible", "ratio", "unattributed", "nobody"])
def test_without_something_to_go_by_there_is_no_plan(lately: Audience, change: str) -> None:
    if change == "effect":
        lately.experiment.minimum_effect = None
    elif change == "impossible":
        lately.experiment.minimum_effect = 5.0
    elif change == "ratio":
        lately.experiment.primary_metric.kind = Metric.Kind.RATIO
    elif change == "unattributed":
        lately.experiment.primary_metric.attributed_only = False
    else:
        Impression.objects.all().delete()
    assert plan(lately.experiment) is None


def test_what_takes_too_long_to_count_is_not_planned(lately: Audience, monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(*_: object) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 1")
            cursor.execute("SELECT pg_sleep(1)")

    monkeypatch.setattr(planning, "_lately", wait)
    assert plan(lately.experiment) is None


def test_the_time_allowed_is_allowed_for_that_only(lately: Audience) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        before = cursor.fetchone()
        assert plan(lately.experiment) is not None
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == before
