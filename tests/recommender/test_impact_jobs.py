"""Measurements are asked for in a request and done elsewhere, once each, whatever becomes of who does them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from catalog.waiting_jobs import ATTEMPTS_AT_MOST, SILENT_SECONDS
from recommender import impact, impact_jobs, tasks
from recommender.models import RuleImpact
from tests.recommender.film_site import FilmSite
from tests.recommender.rule_writing import written


def test_a_draft_is_measured_as_it_was_when_asked(site: FilmSite) -> None:
    site.does("ann", ("watch", "heat"))
    with site.commit():
        rule = written("pin", name="Up first", items=["up"], position=1)
        asked = impact_jobs.ask(None)
    with site.commit():
        rule.delete()
    assert tasks.measure_impacts() == 1
    asked.refresh_from_db()
    assert (asked.state, asked.done, asked.total, asked.error) == ("done", 1, 1, "")
    assert asked.result["users"] == 1
    assert any(one["by_rule_after"] for one in asked.result["placements"])
    assert tasks.measure_impacts() == 0


def test_a_measurement_whose_worker_died_is_begun_again(db: None) -> None:
    job = impact_jobs.ask(None)
    long_ago = timezone.now() - timedelta(seconds=SILENT_SECONDS + 1)
    RuleImpact.objects.update(state="running", heard_at=long_ago)
    assert impact_jobs.run_waiting() == 1
    job.refresh_from_db()
    assert job.state == "done"
    RuleImpact.objects.update(state="running", heard_at=timezone.now())
    assert impact_jobs.run_waiting() == 0


def test_a_measurement_that_kills_its_workers_is_given_up(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    deadly, next_one = impact_jobs.ask(None), impact_jobs.ask(None)
    measure, begun = impact.measure, list[int]()

    def die(*args: Any, seed: int, **fields: Any) -> Any:
        begun.append(seed)
        if seed == deadly.pk:
            raise KeyboardInterrupt  # Nothing of the product's hears of it, as of SIGKILL.
        return measure(*args, seed=seed, **fields)

    monkeypatch.setattr(impact, "measure", die)
    long_ago = timezone.now() - timedelta(seconds=SILENT_SECONDS + 1)
    for _ in range(ATTEMPTS_AT_MOST):
        with pytest.raises(KeyboardInterrupt):
            impact_jobs.run_waiting()
        assert RuleImpact.objects.get(pk=deadly.pk).state == "running"
        RuleImpact.objects.filter(pk=deadly.pk).update(heard_at=long_ago)
    assert impact_jobs.run_waiting() == 1
    assert begun == [deadly.pk] * 3 + [next_one.pk]
    deadly.refresh_from_db()
    assert (deadly.state, deadly.attempts) == ("failed", 3)
    assert deadly.error == "Its worker died 3 times; its log, or the machine's, says of what."
    assert RuleImpact.objects.get(pk=next_one.pk).state == "done"


def test_a_failure_is_told_and_the_next_one_is_measured(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = impact_jobs.ask(None), impact_jobs.ask(None)
    measure = impact.measure

    def once(*args: Any, seed: int, **fields: Any) -> Any:
        if seed == first.pk:
            raise ValueError("broken")
        return measure(*args, seed=seed, **fields)

    monkeypatch.setattr(impact, "measure", once)
    assert impact_jobs.run_waiting() == 2
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, first.error, second.state) == ("failed", "ValueError: broken", "done")
