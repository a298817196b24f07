from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from experiments import configurations, forecasts, lifecycle
from experiments.forecasts import Estimated, Found, OfVariant
from experiments.models import Experiment, Exposure, Forecast, Metric, Phase
from interactions.models import Impression, UserProfile
from tests.experiments.conftest import Audience


@pytest.fixture
def staff(db: None, client: Client) -> Client:
    """A browser with a superuser signed in."""
    client.force_login(get_user_model().objects.create_superuser("chief"))
    return client


def page(name: str, experiment: Experiment) -> str:
    return reverse(f"admin:experiments_experiment_{name}", args=[experiment.pk])


def test_the_list_and_the_forms_open(staff: Client, draft: Experiment, metric: Metric) -> None:
    for url in (
        reverse("admin:experiments_experiment_changelist"),
        reverse("admin:experiments_experiment_add"),
        page("change", draft),
        reverse("admin:experiments_metric_changelist"),
        reverse("admin:experiments_metric_change", args=[metric.pk]),
    ):
        assert staff.get(url).status_code == 200, url


def test_starting_asks_first(staff: Client, draft: Experiment) -> None:
    asked = staff.get(page("start_page", draft))
    assert "From the next request on" in asked.content.decode()
    draft.refresh_from_db()
    assert draft.status == "draft"
    done = staff.post(page("start_page", draft))
    assert (done.status_code, done.headers["Location"]) == (302, page("change", draft))
    draft.refresh_from_db()
    assert (draft.status, draft.phases.count()) == ("running", 1)


def test_a_refused_start_says_why_and_changes_nothing(staff: Client, draft: Experiment) -> None:
    draft.variants.filter(name="diverse").delete()
    answer = staff.post(page("start_page", draft))
    assert answer.status_code == 200
    assert "It needs at least two variants, not 1." in answer.content.decode()
    draft.refresh_from_db()
    assert draft.status == "draft"


def test_a_forecast_is_asked_for_and_shown_before_the_start(staff: Client, draft: Experiment) -> None:
    url = page("forecast_page", draft)
    assert "Not asked for yet" in staff.get(url).content.decode()
    assert staff.post(url).headers["Location"] == url
    waiting = staff.get(url).content.decode()
    assert ("Waiting for a worker" in waiting, "<form" in waiting.partition('id="measuring"')[2]) == (True, False)
    [asked] = Forecast.objects.all()
    assert (asked.asked["event_type"], asked.asked["configurations"][1]) == (
        "watch",
        ["diverse", {"recipe": "diverse"}],
    )
    estimates = (Estimated(estimator="doubly robust", value=0.0512, low=0.04, high=0.06),)
    found = Found(
        event_type="watch",
        users=20,
        lists=60,
        mixed=2,
        places=1_200,
        rate=0.05,
        variants=(
            OfVariant(variant="", covered=1, effective_rows=1_200, estimates=estimates),
            OfVariant(variant="control", obstacle="There are no rows."),
            OfVariant(
                variant="diverse", covered=0.4, effective_rows=480.2, estimates=estimates, low=-0.001, high=0.0125
            ),
        ),
    )
    assert forecasts.run_waiting(lambda of, seed, tell: found) == 1
    shown = " ".join(staff.get(url).content.decode().split())
    assert "Of 1,200 items shown to 20 users in 60 lists, 5.00% led to “watch”. 2 lists that mix variants" in shown
    assert "It cannot be told. There are no rows." in shown
    for text in ("5.12%", "4.00% to 6.00%", "-0.10 to +1.25 points", "40%", "480"):
        assert f">{text}<" in shown
    started = staff.get(page("start_page", draft)).content.decode()
    assert "would earn, of 100, diverse -0.10 to +1.25." in started
    draft.variants.filter(name="diverse").update(configuration={"recipe": "new"})
    assert "the variants have changed since" in staff.get(url).content.decode()


def test_who_may_only_look_can_ask_for_nothing(client: Client, draft: Experiment) -> None:
    viewer = get_user_model().objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_experiment"))
    client.force_login(viewer)
    assert client.post(page("forecast_page", draft)).status_code == 403
    assert not Forecast.objects.exists()


def test_stopping_asks_first(staff: Client, running: Experiment) -> None:
    assert "The report stays" in staff.get(page("stop_page", running)).content.decode()
    running.refresh_from_db()
    assert running.status == "running"
    assert staff.post(page("stop_page", running)).status_code == 302
    running.refresh_from_db()
    assert running.status == "stopped"


def test_weights_of_a_running_experiment_begin_a_phase(staff: Client, running: Experiment) -> None:
    assert "assigned afresh" in staff.get(page("weights_page", running)).content.decode()
    staff.post(page("weights_page", running), {"weight-control": "1", "weight-diverse": "4"})
    running.refresh_from_db()
    assert running.phase == 2
    assert list(running.variants.values_list("weight", flat=True)) == [1.0, 4.0]


@pytest.mark.parametrize("weight", ["-1", "many", "nan", ""])
def test_wrong_weights_are_shown_again(staff: Client, running: Experiment, weight: str) -> None:
    answer = staff.post(page("weights_page", running), {"weight-control": "1", "weight-diverse": weight})
    assert answer.status_code == 200
    running.refresh_from_db()
    assert running.phase == 1


@pytest.mark.parametrize("action", ["report_page", "stop_page", "weights_page"])
def test_a_draft_has_nothing_to_stop_or_read(staff: Client, draft: Experiment, action: str) -> None:
    assert staff.get(page(action, draft)).status_code == 403


def test_what_was_declared_cannot_be_edited_after_the_start(staff: Client, running: Experiment) -> None:
    answer = staff.post(
        page("change", running),
        {"name": "Renamed", "experiment_id": "other", "coverage": "0.1", "placement": "x", "alpha": "0.2"}
        | {"variants-TOTAL_FORMS": "0", "variants-INITIAL_FORMS": "0"},
    )
    assert answer.status_code == 302
    running.refresh_from_db()
    assert running.name == "Renamed"
    assert (running.experiment_id, running.coverage, running.placement, running.alpha) == (
        "varied",
        1.0,
        "homepage",
        0.05,
    )


def test_a_running_experiment_cannot_be_deleted(staff: Client, running: Experiment) -> None:
    url = page("delete", running)
    assert staff.post(url, {"post": "yes"}).status_code == 403
    lifecycle.stop("varied")
    assert staff.post(url, {"post": "yes"}).status_code == 302
    assert not Experiment.objects.exists()


def test_a_metric_in_use_cannot_be_redefined(staff: Client, running: Experiment, metric: Metric) -> None:
    url = reverse("admin:experiments_metric_change", args=[metric.pk])
    staff.post(url, {"name": "other", "kind": "mean", "event_type": "click"})
    metric.refresh_from_db()
    assert (metric.name, metric.kind, metric.event_type) == ("watch-through", "proportion", "watch")


def test_the_report_page(staff: Client, audience: Audience) -> None:
    """Three of four against one of four."""
    audience.expose("control", [f"c{n}" for n in range(4)])
    audience.expose("diverse", [f"d{n}" for n in range(4)])
    for unit, variant in (("c0", "control"), ("d0", "diverse"), ("d1", "diverse"), ("d2", "diverse")):
        audience.act(unit, request_id=audience.requests[unit, variant])
    text = staff.get(page("report_page", audience.experiment)).content.decode()
    assert "Too early to say: control has 4 users, diverse has 4 users; each variant needs 150 at least." in text
    assert "Too few users to check the split yet." in text
    assert "25.00%" in text
    assert "75.00%" in text
    assert "+200.0% (" in text
    report = text[text.index('data-decision="too_early"') :]
    assert '<svg width="240"' in report
    assert 'style="' not in report[: report.index("Back to the experiment")]


def test_the_report_page_of_an_earlier_phase(staff: Client, audience: Audience) -> None:
    lifecycle.change_weights("varied", {"control": 1, "diverse": 2})
    url = page("report_page", audience.experiment)
    assert "Phase 2 since" in staff.get(url).content.decode()
    assert "Phase 1 since" in staff.get(url, {"phase": "1"}).content.decode()
    assert staff.get(url, {"phase": "7"}).status_code == 404


def test_exposures_are_read_only_and_never_counted(
    staff: Client, audience: Audience, django_assert_max_num_queries: Any
) -> None:
    audience.expose("control", ["ann"])
    with django_assert_max_num_queries(12) as queries:
        answer = staff.get(reverse("admin:experiments_exposure_changelist"), {"q": "ann"})
    assert "ann" in answer.content.decode()
    assert not [query for query in queries.captured_queries if "COUNT(*)" in query["sql"].upper()]
    assert staff.get(reverse("admin:experiments_exposure_add")).status_code == 403
    exposure = Exposure.objects.get()
    for name in ("change", "delete"):
        url = reverse(f"admin:experiments_exposure_{name}", args=[exposure.pk])
        assert staff.post(url, {"post": "yes"}).status_code == 403
    assert Exposure.objects.count() == 1


def test_staff_without_permission_see_and_change_nothing(client: Client, running: Experiment) -> None:
    client.force_login(get_user_model().objects.create_user("temp", is_staff=True))
    for action in ("report_page", "stop_page", "weights_page"):
        assert client.post(page(action, running)).status_code == 403
    running.refresh_from_db()
    assert running.status == "running"


def test_another_share_of_users_can_take_part(staff: Client, running: Experiment) -> None:
    assert "Fewer begin a new phase" in staff.get(page("coverage_page", running)).content.decode()
    assert staff.post(page("coverage_page", running), {"coverage": "0.5"}).status_code == 302
    running.refresh_from_db()
    assert (running.coverage, running.phase) == (0.5, 2)
    assert staff.post(page("coverage_page", running), {"coverage": "0.8"}).status_code == 302
    refused = staff.post(page("coverage_page", running), {"coverage": "7"})
    assert "The coverage must be above 0 and at most 1, not 7.0." in refused.content.decode()
    running.refresh_from_db()
    assert (running.coverage, running.phase) == (0.8, 2)


def test_a_variant_that_cannot_be_applied_is_a_message_at_its_field(
    staff: Client, draft: Experiment, metric: Metric, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(configurations, "_checks", [lambda configuration: [f"No {name}." for name in configuration]])
    variants = list(draft.variants.all())
    form = {
        "name": draft.name, "experiment_id": draft.experiment_id, "kind": "split", "coverage": "1", "alpha": "0.05",
        "layer_start": "0", "layer_end": "1", "correction": "holm", "primary_metric": str(metric.pk),
        "variants-TOTAL_FORMS": "2", "variants-INITIAL_FORMS": "2",
    }  # fmt: skip
    for at, variant in enumerate(variants):
        form |= {
            f"variants-{at}-id": str(variant.pk), f"variants-{at}-experiment": str(draft.pk),
            f"variants-{at}-name": variant.name, f"variants-{at}-position": str(at), f"variants-{at}-weight": "1",
            f"variants-{at}-configuration": "{}" if at == 0 else '{"colour": "red"}',
        }  # fmt: skip
    answer = staff.post(page("change", draft), form)
    assert answer.status_code == 200
    assert "No colour." in answer.content.decode()
    variants[1].refresh_from_db()
    assert variants[1].configuration == {"recipe": "diverse"}


def report_of(staff: Client, audience: Audience) -> str:
    text = staff.get(page("report_page", audience.experiment)).content.decode()
    return text[text.index("data-decision=") : text.index("Back to the experiment")]


def test_the_report_page_shows_days_and_countries(staff: Client, audience: Audience) -> None:
    Metric.objects.update(attributed_only=False)
    for variant in ("control", "diverse"):
        audience.expose(variant, [f"{variant}{n}" for n in range(4)])
    audience.act_all(["control0", "diverse0", "diverse1"])
    audience.act_all(["control1", "diverse2"], minutes=24 * 60)
    UserProfile.objects.filter(user_id__startswith="diverse").update(country="FR")
    UserProfile.objects.filter(user_id="control0").update(country="FR")
    text = report_of(staff, audience)
    assert text.count("<polyline") == 1
    assert "+25.00 points (" in text
    assert "By country" in text
    assert ">FR</p>" in text
    assert ">not known</p>" not in text


def test_a_broken_split_is_broken_down_on_the_page(staff: Client, audience: Audience) -> None:
    audience.expose("control", [f"c{n}" for n in range(40)])
    UserProfile.objects.update(country="FR")
    text = report_of(staff, audience)
    assert "Broken: the sizes do not fit the weights" in text
    assert "control 40, diverse 0" in text
    assert "app version" in text


def test_the_report_page_of_mixed_lists(staff: Client, audience: Audience) -> None:
    Experiment.objects.update(kind=Experiment.Kind.INTERLEAVING)
    audience.expose("interleaved", ["ann"])
    Impression.objects.filter(position=1).update(variant="diverse")
    Impression.objects.filter(position=0).update(variant="control", item_id=audience.item.pk + 1)
    audience.act("ann", request_id=audience.requests["ann", "interleaved"])
    text = report_of(staff, audience)
    assert "Every user sees all variants, mixed into one list" in text
    assert "Whose places were chosen" in text
    assert "+1.000 (-1.000 to +1.000)" in text


def test_all_figures_as_csv(staff: Client, audience: Audience) -> None:
    audience.expose("control", [f"c{n}" for n in range(4)])
    audience.expose("diverse", [f"d{n}" for n in range(4)])
    for unit, variant in (("c0", "control"), ("d0", "diverse"), ("d1", "diverse"), ("d2", "diverse")):
        audience.act(unit, request_id=audience.requests[unit, variant])
    answer = staff.get(page("report_page", audience.experiment), {"format": "csv"})
    assert answer.headers["Content-Disposition"] == 'attachment; filename="varied-phase-1.csv"'
    control, treatment, *countries = csv.DictReader(io.StringIO(answer.content.decode()))
    assert (control["variant"], control["users"], control["value"], control["difference"]) == (
        "control",
        "4",
        "0.25",
        "",
    )
    assert (treatment["metric"], treatment["value"], treatment["difference"]) == ("watch-through", "0.75", "0.5")
    assert float(treatment["low"]) < 0.5 < float(treatment["high"])
    assert [row["part"] for row in countries] == ["country", "country"]


def test_a_variant_s_name_is_no_formula_of_a_spreadsheet(staff: Client, audience: Audience) -> None:
    Phase.objects.update(weights=[["control", 1], ["-1", 1]])
    audience.expose("-1", ["ann"])
    answer = staff.get(page("report_page", audience.experiment), {"format": "csv"}).content.decode()
    assert ",'-1,1," in answer


def test_starting_again_says_how_long_it_will_take(staff: Client, audience: Audience) -> None:
    """One of two watched, worth finding is 0.75: 7.849 · (0.25 + 0.1875) / 0.0625 = 54.9 users; 110 at 2 in 14 days."""
    Experiment.objects.update(minimum_effect=0.5)
    audience.expose("control", ["ann", "bob"])
    audience.act("ann", request_id=audience.requests["ann", "control"])
    lifecycle.stop("varied")
    text = staff.get(page("start_page", audience.experiment)).content.decode()
    assert "(0.5 a user, 0.1 new users a day), finding the declared effect takes 55 users a variant" in text
    assert "which is 770 days or more" in text
