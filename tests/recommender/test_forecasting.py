"""What variants would earn is told before they are shown, or it is said why it cannot be told."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from experiments import forecasts
from experiments.forecasts import AS_IT_IS, Found, OfVariant
from experiments.models import Experiment, Metric, Variant
from interactions.models import Impression
from interactions.recording import EventInput, record
from interactions.responses import Audience, Temperament
from recommender import serving, tasks
from recommender.forecasting import forecast
from tests.recommender.film_site import FilmSite
from tests.recommender.rule_writing import published

ITEMS = ["heat", "ronin", "thief", "airplane", "clue", "alien", "arrival", "up", "coco"]
EAGER = Temperament(inclination=0.0, openness=0.3, quality=1.5, taste=0.3, position_bias=0.5, fatigue=0.0)
PEOPLE = 20
PLACES = PEOPLE * len(ITEMS)


def declare(site: FilmSite, **variants: dict[str, Any]) -> Experiment:
    metric = Metric.objects.create(name="watches", event_type="watch")
    with site.commit():
        experiment: Experiment = Experiment.objects.create(
            experiment_id="order", name="Another order", placement="trending", primary_metric=metric
        )
        for position, (name, configuration) in enumerate({"control": {}, **variants}.items()):
            Variant.objects.create(experiment=experiment, name=name, position=position, configuration=configuration)
    return experiment


def of(found: Found, variant: str) -> OfVariant:
    [one] = [one for one in found.variants if one.variant == variant]
    return one


@pytest.fixture
def visited(site: FilmSite) -> tuple[FilmSite, Audience]:
    """People of a simulated audience look at what is trending, by the real door, and watch what they like.

    A rule lifts up to the sixth place, which is the eighth otherwise.
    """
    with site.commit():
        published("pin", items=["up"], position=6, placements=["trending"])
    audience = Audience(PEOPLE, len(ITEMS), seed=3, temperament=EAGER)
    row_of = {item_id: row for row, item_id in enumerate(ITEMS)}
    events = []
    for person in range(PEOPLE):
        made = serving.recommend(f"person-{person}", context="trending")
        chosen = audience.respond(person, np.array([row_of[item.item_id] for item in made.items]))
        events += [
            EventInput(
                user_id=f"person-{person}",
                item_id=item.item_id,
                event_type="watch",
                occurred_at=timezone.now() + timedelta(seconds=1),
                request_id=made.request_id,
            )
            for item, is_chosen in zip(made.items, chosen.tolist(), strict=True)
            if is_chosen
        ]
    with site.commit():
        assert {verdict.status for verdict in record(events)} == {"accepted"}
    assert tasks.write_impressions() == PLACES
    return site, audience


def truth(audience: Audience, item_ids: list[str]) -> float:
    rows = np.array([ITEMS.index(item_id) for item_id in item_ids])
    return float(np.mean([audience.chances(person, rows) for person in range(PEOPLE)]))


def test_what_an_audience_would_do_is_foreseen(visited: tuple[FilmSite, Audience]) -> None:
    site, audience = visited
    experiment = declare(site, plain={"rules": False}, newest={"recipe": "new"}, silent={"nothing": True})
    found = forecast(forecasts.asked_of(experiment.experiment_id), users=PEOPLE)
    assert (found.event_type, found.users, found.lists, found.places) == ("watch", PEOPLE, PEOPLE, PLACES)
    as_it_is, plain = of(found, AS_IT_IS), of(found, "plain")
    assert (as_it_is.covered, as_it_is.effective_rows) == (1, PLACES)
    by_weights = [one.value for one in as_it_is.estimates if one.estimator != "by the model alone"]
    assert by_weights == pytest.approx([found.rate] * 4)
    assert of(found, "control").estimates == as_it_is.estimates
    assert (of(found, "control").low, of(found, "control").high) == (0, 0)
    # Three of nine places hold something else without the rule.
    assert (plain.covered, plain.effective_rows) == (pytest.approx(6 / 9), PEOPLE * 6)
    [best, *_] = plain.estimates
    assert best.low < truth(audience, ITEMS) < best.high
    assert plain.low < best.value - found.rate < plain.high
    # The newest come first: turned round, only the fifth place holds what it held.
    assert of(found, "newest").obstacle.startswith(f"{PLACES} rows say as much of this policy as {PEOPLE} would")
    assert of(found, "silent").obstacle == "It shows nothing, so there is nothing that could earn anything."


def test_what_has_no_propensity_is_refused(visited: tuple[FilmSite, Audience]) -> None:
    site, _ = visited
    experiment = declare(site)
    Impression.objects.filter(user_id_text="person-7", position=2).update(propensity=0)
    control = of(forecast(forecasts.asked_of(experiment.experiment_id), users=PEOPLE), "control")
    assert control.obstacle == f"1 of {PLACES} rows have no propensity: how probable they were is not known."
    assert control.estimates == ()


def test_without_such_events_nothing_is_told(visited: tuple[FilmSite, Audience]) -> None:
    site, _ = visited
    experiment = declare(site)
    Metric.objects.update(event_type="purchase")
    control = of(forecast(forecasts.asked_of(experiment.experiment_id), users=PEOPLE), "control")
    assert control.obstacle == f"None of the {PLACES} items shown led to an event 'purchase'."


def test_only_those_whom_the_experiment_is_for_are_looked_at(visited: tuple[FilmSite, Audience]) -> None:
    site, _ = visited
    experiment = declare(site, plain={"rules": False})
    Experiment.objects.update(countries="JP")
    found = forecast(forecasts.asked_of(experiment.experiment_id), users=PEOPLE)
    assert (found.users, found.places, of(found, "plain").obstacle) == (0, 0, "There are no rows.")


def test_what_cannot_be_made_says_why_and_the_others_are_told(visited: tuple[FilmSite, Audience]) -> None:
    site, _ = visited
    experiment = declare(
        site, wrong={"diversity": 7}, gone={"model_version": "v9"}, other={"weights": {"content": 2}}, same={}
    )
    found = forecast(forecasts.asked_of(experiment.experiment_id), users=PEOPLE)
    assert of(found, "wrong").obstacle == "diversity must be a number of 0 to 1, not 7."
    assert of(found, "gone").obstacle == "The model version 'v9' could not be opened."
    assert of(found, "other").obstacle.startswith("It cannot be shown at 'trending'")
    assert of(found, "same").obstacle == ""


def test_a_version_is_opened_for_it(visited: tuple[FilmSite, Audience]) -> None:
    site, _ = visited
    with site.commit():
        version = site.publish()
    experiment = declare(site, newer={"model_version": version.name})
    found = forecast(forecasts.asked_of(experiment.experiment_id), users=PEOPLE)
    assert of(found, "newer").covered == 1


def test_it_is_asked_for_found_by_a_worker_and_holds_for_what_was_declared(
    visited: tuple[FilmSite, Audience],
) -> None:
    site, _ = visited
    experiment = declare(site, plain={"rules": False})
    assert forecasts.newest(experiment) is None
    asked = forecasts.ask(experiment, None)
    assert forecasts.found(forecasts.newest(experiment)) is None
    assert tasks.measure_impacts() == 1
    asked.refresh_from_db()
    assert (asked.state, asked.done, asked.total, asked.error) == ("done", PEOPLE, PEOPLE, "")
    found = forecasts.found(forecasts.newest(experiment))
    assert found is not None
    assert of(found, "plain").covered == pytest.approx(6 / 9)
    Variant.objects.filter(name="plain").update(configuration={"recipe": "new"})
    assert forecasts.newest(experiment) is None


def test_the_command_prints_it(visited: tuple[FilmSite, Audience]) -> None:
    site, _ = visited
    declare(site, plain={"rules": False}, newest={"recipe": "new"})
    out = StringIO()
    call_command("forecast_experiment", "order", users=PEOPLE, stdout=out)
    printed = " ".join(out.getvalue().split())
    assert f"Of {PLACES} items shown to {PEOPLE} users in {PEOPLE} lists" in printed
    assert "67%" in printed
    with pytest.raises(CommandError, match="There is no experiment 'nothing'"):
        call_command("forecast_experiment", "nothing")
