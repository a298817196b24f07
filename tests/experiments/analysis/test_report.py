from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from experiments import lifecycle
from experiments.analysis.findings import Arm, ArmValue, SampleRatio
from experiments.analysis.report import report
from experiments.analysis.sample import Sample
from experiments.analysis.sequential import always_valid
from experiments.analysis.welch import TOO_FEW, compare
from experiments.exceptions import UnknownExperiment
from experiments.models import Experiment, Exposure, Metric, Phase
from interactions.models import UserProfile
from tests.experiments.conftest import Audience


def names(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]


def means(experiment_id: str = "varied", metric: int = 0) -> dict[str, tuple[int, float]]:
    """Return variant → (users, mean) of a metric."""
    return {arm.variant: (arm.users, arm.mean) for arm in report(experiment_id).metrics[metric].arms}


def test_an_experiment_nobody_saw(running: Experiment) -> None:
    found = report("varied")
    assert found.arms == (
        Arm(variant="control", weight=0.5, users=0, expected_users=0.0),
        Arm(variant="diverse", weight=0.5, users=0, expected_users=0.0),
    )
    assert found.sample_ratio == SampleRatio(p=1.0, is_broken=False, is_testable=False)
    assert (found.decision, found.multiple_users, found.warnings) == ("too_early", 0, ())
    assert found.verdict == (
        "Too early to say: control has 0 users, diverse has 0 users; each variant needs 150 at least."
    )
    assert found.metrics[0].comparisons[0].relative.message == TOO_FEW


def test_one_user(audience: Audience) -> None:
    audience.expose("diverse", ["ann"])
    found = report("varied")
    assert [arm.users for arm in found.arms] == [0, 1]
    assert found.metrics[0].arms[1] == ArmValue(variant="diverse", users=1, mean=0.0)


def test_attributed_events_are_those_of_the_experiments_own_lists(audience: Audience) -> None:
    """Of four control users two watch from the list; what the other two do does not count."""
    audience.expose("control", names("c", 4))
    audience.expose("diverse", names("d", 2))
    audience.act("c0", request_id=audience.requests["c0", "control"])
    audience.act("c0", request_id=audience.requests["c0", "control"])  # again: still one user
    audience.act("c1", request_id=audience.requests["c1", "control"])
    audience.act("c2", request_id=uuid4())  # another list
    audience.act("c2", "view", request_id=audience.requests["c2", "control"])  # another event type
    audience.act("c3")  # from no list
    audience.act("c3", request_id=audience.requests["c0", "control"])  # somebody else's list
    assert means() == {"control": (4, 0.5), "diverse": (2, 0.0)}


def test_an_attributed_event_counts_though_its_clock_is_behind(audience: Audience) -> None:
    audience.expose("control", ["ann"], minutes=10)
    audience.act("ann", minutes=5, request_id=audience.requests["ann", "control"])
    assert means()["control"] == (1, 1.0)


def test_unattributed_events_count_from_the_first_exposure_to_the_end(audience: Audience, metric: Metric) -> None:
    Metric.objects.update(attributed_only=False, kind=Metric.Kind.MEAN)
    audience.expose("control", ["ann", "bob"], minutes=10)
    for minutes in (5, 10, 20, 40):
        audience.act("ann", minutes=minutes)
    assert means()["control"] == (2, 1.5)
    Phase.objects.update(ended_at=audience.at(30))
    assert means()["control"] == (2, 1.0)


def test_a_mean_sums_values_and_counts_what_has_none(audience: Audience) -> None:
    """Ann: 2.5 + 1 (no value) = 3.5; Bob 0.5; Cid nothing. Mean 4/3, variance (12.5 - 16/3) / 2."""
    Metric.objects.update(kind=Metric.Kind.MEAN)
    audience.expose("control", ["ann", "bob", "cid"])
    audience.expose("diverse", ["dan", "eve"])
    for unit, variant, value in (("ann", "control", 2.5), ("ann", "control", None), ("bob", "control", 0.5)):
        audience.act(unit, value=value, request_id=audience.requests[unit, variant])
    audience.act("dan", value=6.0, request_id=audience.requests["dan", "diverse"])
    assert means() == {"control": (3, pytest.approx(4 / 3)), "diverse": (2, 3.0)}
    (comparison,) = report("varied").metrics[0].comparisons
    assert comparison.absolute.estimate == pytest.approx(3 - 4 / 3)
    assert comparison.absolute.standard_error == pytest.approx(((12.5 - 16 / 3) / 2 / 3 + 18 / 2) ** 0.5)
    assert comparison.relative.estimate == pytest.approx(1.25)


def test_units_in_two_variants_are_counted_and_left_out(audience: Audience) -> None:
    audience.expose("control", ["ann", "both"])
    audience.expose("diverse", ["both"])
    audience.act("both", request_id=audience.requests["both", "diverse"])
    found = report("varied")
    assert [arm.users for arm in found.arms] == [1, 0]
    assert found.multiple_users == 1
    assert found.warnings == (
        "1 of 2 users (50.0%) saw more than one variant; they are left out. Their ids may have changed between visits.",
    )
    assert means() == {"control": (1, 0.0), "diverse": (0, 0.0)}


def test_few_units_in_two_variants_are_no_warning(audience: Audience) -> None:
    expose(audience, control=100, diverse=99)
    expose_one_to_both(audience)
    found = report("varied")
    assert (found.multiple_users, found.warnings) == (1, ())


def test_an_unknown_variant_is_a_warning(audience: Audience) -> None:
    audience.expose("gone", ["ann"])
    found = report("varied")
    assert found.warnings == ("1 users were exposed to 'gone', which was no variant then.",)
    assert [arm.users for arm in found.arms] == [0, 0]


def expose(audience: Audience, **users: int) -> None:
    """Write many exposures at once, without impressions."""
    rows = [(variant, unit) for variant, count in users.items() for unit in names(f"{variant}-", count)]
    UserProfile.objects.bulk_create(UserProfile(user_id=unit) for _, unit in rows)
    Exposure.objects.bulk_create(
        Exposure(experiment=audience.experiment, phase=1, unit=unit, variant=variant, exposed_at=audience.at(1))
        for variant, unit in rows
    )


def expose_one_to_both(audience: Audience) -> None:
    for variant in ("control", "diverse"):
        Exposure.objects.create(
            experiment=audience.experiment, phase=1, unit="both", variant=variant, exposed_at=audience.at(1)
        )


def watch(audience: Audience, **users: int) -> None:
    """Let the first so many users of each variant watch."""
    audience.act_all(unit for variant, count in users.items() for unit in names(f"{variant}-", count))


@pytest.fixture
def unattributed(audience: Audience) -> Audience:
    """An audience whose every watch counts, so that no impressions are needed."""
    Metric.objects.update(attributed_only=False)
    return audience


def test_a_better_variant(unattributed: Audience) -> None:
    """20 of 200 against 60 of 200: three times as many."""
    expose(unattributed, control=200, diverse=200)
    watch(unattributed, control=20, diverse=60)
    found = report("varied")
    control, treatment = Sample.of_proportion(200, 20), Sample.of_proportion(200, 60)
    (comparison,) = found.metrics[0].comparisons
    assert comparison.relative == compare(control, treatment)
    assert comparison.absolute == compare(control, treatment, relative=False)
    assert comparison.relative_always == always_valid(control, treatment)
    assert comparison.absolute_always == always_valid(control, treatment, relative=False)
    assert comparison.relative.estimate == pytest.approx(2.0)
    assert comparison.absolute.estimate == pytest.approx(0.2)
    # sqrt(.1 * .9 / 200 + .3 * .7 / 200)
    assert comparison.absolute.standard_error == pytest.approx(0.0387298, abs=5e-8)
    assert comparison.absolute.p == pytest.approx(2 * 1.97e-7, rel=0.2)
    assert comparison.p_adjusted == comparison.absolute_always.p
    assert found.sample_ratio == SampleRatio(p=1.0, is_broken=False, is_testable=True)


@pytest.mark.parametrize(("higher_is_better", "decision"), [(True, "better"), (False, "worse")])
def test_whether_more_is_better_is_the_metrics_to_say(
    unattributed: Audience, higher_is_better: bool, decision: str
) -> None:
    Metric.objects.update(higher_is_better=higher_is_better)
    expose(unattributed, control=400, diverse=400)
    watch(unattributed, control=100, diverse=300)
    found = report("varied")
    interval = found.metrics[0].comparisons[0].absolute_always
    assert found.decision == decision
    assert found.verdict == (
        f"diverse is {decision} than control in watch-through: 75.0% of users instead of 25.0%, +50.0 points "
        f"(95% interval {100 * interval.low:+.1f} to {100 * interval.high:+.1f})."
    )


def test_the_verdict_of_a_mean(unattributed: Audience) -> None:
    """Half the users of one arm three events, of the other one: 1.5 against 0.5."""
    Metric.objects.update(kind=Metric.Kind.MEAN)
    expose(unattributed, control=200, diverse=200)
    watch(unattributed, control=100)
    unattributed.act_all(names("diverse-", 100), value=3.0)
    found = report("varied")
    interval = found.metrics[0].comparisons[0].absolute_always
    assert found.verdict == (
        "diverse is better than control in watch-through: 1.5 a user instead of 0.5, +1 "
        f"(95% interval {interval.low:+.3g} to {interval.high:+.3g})."
    )


def test_no_difference(unattributed: Audience) -> None:
    expose(unattributed, control=150, diverse=150)
    watch(unattributed, control=15, diverse=16)
    found = report("varied")
    assert (found.decision, found.verdict) == ("no_difference", "No difference in watch-through has been shown yet.")


def test_a_metric_that_never_happens_says_so(unattributed: Audience) -> None:
    expose(unattributed, control=150, diverse=150)
    assert report("varied").verdict == (
        "No difference in watch-through can be computed. Zero or negative variance: there is nothing to test."
    )


def test_a_broken_split_hides_the_effects(unattributed: Audience) -> None:
    """1000 against 1200 of equal weights has p = 0.000020; here 100 against 200."""
    expose(unattributed, control=100, diverse=200)
    watch(unattributed, control=10, diverse=150)
    found = report("varied")
    assert found.sample_ratio.is_broken
    assert found.sample_ratio.p == pytest.approx(7.76e-9, rel=0.01)
    assert (found.decision, found.metrics) == ("broken", ())
    assert found.verdict.startswith(
        "Do not use these results: control has 100 users, diverse has 200 users do not fit the weights (p = 7.8e-09)"
    )


def test_a_small_imbalance_at_the_start_hides_nothing(audience: Audience) -> None:
    """14 users of one variant alone have p = 0.0002, but 7 expected a variant are too few to test."""
    audience.expose("control", names("c", 14))
    ratio = report("varied").sample_ratio
    assert (ratio.is_testable, ratio.is_broken) == (False, False)


def test_the_split_is_tested_against_the_weights_of_its_phase(audience: Audience) -> None:
    expose(audience, control=300, diverse=100)
    assert report("varied").sample_ratio.is_broken
    Phase.objects.update(weights=[["control", 3], ["diverse", 1]])
    ratio = report("varied").sample_ratio
    assert (ratio.p, ratio.is_broken) == (1.0, False)


def test_a_paused_arm_is_not_compared(audience: Audience) -> None:
    Phase.objects.update(weights=[["control", 1], ["paused", 0], ["diverse", 1]])
    expose(audience, control=100, diverse=100, paused=50)
    found = report("varied")
    assert [arm.users for arm in found.arms] == [100, 50, 100]
    assert found.sample_ratio.p == 1.0
    assert [comparison.variant for comparison in found.metrics[0].comparisons] == ["diverse"]


def test_phases_are_analysed_apart(audience: Audience) -> None:
    audience.expose("control", names("c", 3))
    lifecycle.change_weights("varied", {"control": 1, "diverse": 2})
    audience.experiment.refresh_from_db()
    audience.expose("diverse", names("c", 2))
    current, first = report("varied"), report("varied", phase=1)
    assert (current.phase, [arm.users for arm in current.arms]) == (2, [0, 2])
    assert (first.phase, [arm.users for arm in first.arms]) == (1, [3, 0])
    assert (current.multiple_users, first.ended_at is None) == (0, False)


def test_guardrails_follow_the_primary_metric_and_are_corrected_together(unattributed: Audience) -> None:
    for name in ("click", "like"):
        guardrail = Metric.objects.create(name=f"{name}s", event_type=name, attributed_only=False)
        unattributed.experiment.guardrails.add(guardrail)
    expose(unattributed, control=200, diverse=200)
    watch(unattributed, control=20, diverse=100)
    unattributed.act_all([*names("control-", 100), *names("diverse-", 5)], "click")
    unattributed.act_all([*names("control-", 50), *names("diverse-", 51)], "like")
    found = report("varied")
    assert [(metric.name, metric.is_primary) for metric in found.metrics] == [
        ("watch-through", True),
        ("clicks", False),
        ("likes", False),
    ]
    clicks = found.metrics[1].comparisons[0]
    assert clicks.p_adjusted == pytest.approx(2 * clicks.absolute_always.p)
    assert found.verdict.endswith("But it is worse in clicks.")


@pytest.mark.parametrize(
    ("planned", "is_stopped", "is_final"),
    [(200, True, True), (201, True, False), (200, False, False), (None, True, False)],
)
def test_the_fixed_horizon_decides_only_as_declared(
    unattributed: Audience, planned: int | None, is_stopped: bool, is_final: bool
) -> None:
    Experiment.objects.update(planned_users=planned)
    expose(unattributed, control=200, diverse=200)
    watch(unattributed, control=20, diverse=60)
    Phase.objects.update(ended_at=unattributed.at(60) if is_stopped else None)
    found = report("varied")
    comparison = found.metrics[0].comparisons[0]
    assert found.is_final is is_final
    assert comparison.p_adjusted == (comparison.absolute if is_final else comparison.absolute_always).p


def test_the_number_of_queries_does_not_grow_with_the_audience(audience: Audience) -> None:
    """Phase with experiment and metric, exposures, guard-rails, units, lists, one a metric, days, countries."""
    expose(audience, control=50, diverse=50)
    with CaptureQueriesContext(connection) as queries:
        report("varied")
    assert len([query for query in queries if "SELECT" in query["sql"]]) == 8


def test_planner_settings_are_left_as_they_were(audience: Audience) -> None:
    report("varied")
    with connection.cursor() as cursor:
        cursor.execute("SHOW enable_nestloop")
        assert cursor.fetchone() == ("on",)


def test_a_deleted_variant_keeps_its_report(audience: Audience) -> None:
    audience.expose("diverse", ["ann"])
    audience.experiment.variants.filter(name="diverse").delete()
    assert [(arm.variant, arm.users) for arm in report("varied").arms] == [("control", 0), ("diverse", 1)]


@pytest.mark.parametrize(
    ("experiment_id", "phase", "message"),
    [
        ("varied", None, "Experiment 'varied' has not begun its phase 1."),
        ("varied", 3, "Experiment 'varied' has not begun its phase 3."),
        ("nothing", None, "There is no experiment 'nothing'."),
        ("nothing", 3, "There is no experiment 'nothing'."),
    ],
)
def test_drafts_and_unknown_experiments_have_no_report(
    draft: Experiment, experiment_id: str, phase: int | None, message: str
) -> None:
    with pytest.raises(UnknownExperiment) as error:
        report(experiment_id, phase)
    assert str(error.value) == message


def test_events_a_day_before_the_start_are_never_read(audience: Audience) -> None:
    audience.expose("control", ["ann"])
    audience.act("ann", minutes=-timedelta(days=2).total_seconds() / 60, request_id=audience.requests["ann", "control"])
    assert means()["control"] == (1, 0.0)


def test_a_ratio_has_the_user_as_its_unit(audience: Audience) -> None:
    """Watches a view. Ann 1 of 2, Bob 2 of 2, Cid 0 of 1: 3 / 5; left over 1 - 1.2, 2 - 1.2, 0 - 0.6, whose squares sum
    to 1.04; over the mean 5 / 3 squared and n - 1 = 2 the variance is 0.1872."""
    Metric.objects.update(kind=Metric.Kind.RATIO, per_event_type="view")
    audience.expose("control", ["ann", "bob", "cid"])
    audience.expose("diverse", ["dan", "eve"])
    for unit, variant, views, watches in (
        ("ann", "control", 2, 1),
        ("bob", "control", 2, 2),
        ("cid", "control", 1, 0),
        ("dan", "diverse", 1, 1),
        ("eve", "diverse", 3, 1),
    ):
        for event_type, times in (("view", views), ("watch", watches)):
            for _ in range(times):
                audience.act(unit, event_type, request_id=audience.requests[unit, variant])
    assert means() == {"control": (3, pytest.approx(0.6)), "diverse": (2, pytest.approx(0.5))}
    (comparison,) = report("varied").metrics[0].comparisons
    # Dan and Eve: 0.5 and -0.5 left over, over 2 squared: variance 0.125.
    assert comparison.absolute.standard_error == pytest.approx((0.1872 / 3 + 0.125 / 2) ** 0.5)
    assert report("varied").looks == ()


def test_what_users_did_before_is_taken_out(unattributed: Audience) -> None:
    """In both arms y = x / 2 exactly but for the treatment's level of 1 more: nothing but that is left."""
    Metric.objects.update(kind=Metric.Kind.MEAN)
    Experiment.objects.update(lookback_days=1)
    for arm, level in (("control", 0.0), ("diverse", 1.0)):
        unattributed.expose(arm, names(f"{arm}-", 4), minutes=10)
        for number in range(4):
            unattributed.act(f"{arm}-{number}", minutes=5, value=2.0 * number)
            unattributed.act(f"{arm}-{number}", minutes=20, value=number + level + (0.1 if number % 2 else -0.1))
    unattributed.act("control-0", minutes=-60 * 24 - 5, value=100.0)  # before the window
    plain = 2.0 * 1.6666667 / 4
    (comparison,) = report("varied").metrics[0].comparisons
    assert comparison.absolute.estimate == pytest.approx(1.0)
    assert comparison.absolute.standard_error < 0.2 * plain**0.5
    assert means() == {"control": (4, pytest.approx(1.5)), "diverse": (4, pytest.approx(2.5))}


def test_the_correction_is_the_one_declared(unattributed: Audience) -> None:
    """Two guard-rails, Holm doubles the smaller p; Benjamini-Hochberg takes the larger one where it is smaller."""
    Experiment.objects.update(correction=Experiment.Correction.FALSE_SHARE)
    for name in ("click", "like"):
        unattributed.experiment.guardrails.add(Metric.objects.create(name=name, event_type=name, attributed_only=False))
    expose(unattributed, control=200, diverse=200)
    unattributed.act_all([*names("control-", 60), *names("diverse-", 30)], "click")
    unattributed.act_all([*names("control-", 62), *names("diverse-", 30)], "like")
    clicks, likes = (metric.comparisons[0] for metric in report("varied").metrics[1:])
    assert likes.absolute_always.p < clicks.absolute_always.p < 2 * likes.absolute_always.p
    assert likes.p_adjusted == clicks.p_adjusted == clicks.absolute_always.p


@pytest.mark.parametrize("kind", [Metric.Kind.PROPORTION, Metric.Kind.MEAN])
def test_the_last_look_is_the_report_s_and_the_first_one_that_of_its_day(unattributed: Audience, kind: str) -> None:
    """Two days, on both of which the same people watch: a share counts them once, a mean sums them up."""
    Metric.objects.update(kind=kind)
    expose(unattributed, control=200, diverse=200)
    watch(unattributed, control=20, diverse=40)
    unattributed.act_all([*names("control-", 40), *names("diverse-", 60)], minutes=24 * 60, value=2.0)
    found = report("varied")
    first, last = found.looks
    assert (last.day - first.day).days == 1
    assert first.users == last.users == {"control": 200, "diverse": 200}
    whole = found.metrics[0].comparisons[0].absolute_always
    assert last.effects["diverse"].estimate == pytest.approx(whole.estimate)
    assert last.effects["diverse"].low == pytest.approx(whole.low)
    early = always_valid(Sample.of_proportion(200, 20), Sample.of_proportion(200, 40), relative=False)
    assert first.effects["diverse"].estimate == pytest.approx(early.estimate)


def test_countries_are_looked_at_apart(unattributed: Audience) -> None:
    expose(unattributed, control=200, diverse=200)
    UserProfile.objects.filter(user_id__in=[*names("control-", 80), *names("diverse-", 60)]).update(country="FR")
    UserProfile.objects.filter(user_id="control-199").update(country="IT")
    watch(unattributed, control=40, diverse=30)
    elsewhere, french = report("varied").segments
    assert (elsewhere.country, french.country) == ("", "FR")
    assert [(arm.variant, arm.users, arm.mean) for arm in french.arms] == [("control", 80, 0.5), ("diverse", 60, 0.5)]
    assert [arm.users for arm in elsewhere.arms] == [119, 140]
    assert french.comparisons[0].absolute.estimate == 0


def test_a_broken_split_says_where(unattributed: Audience) -> None:
    """The French are missing from one arm; what was sent from telephones is as it should be."""
    expose(unattributed, control=100, diverse=200)
    UserProfile.objects.filter(user_id__in=names("diverse-", 100)).update(country="FR")
    watch(unattributed, control=50, diverse=50)
    Exposure.objects.filter(unit__in=[*names("control-", 50), *names("diverse-", 50)]).update(device="mobile")
    splits = report("varied").split_by
    assert (splits[0].dimension, splits[0].value) == ("country", "FR")
    assert splits[0].users == {"control": 0, "diverse": 100}
    by_value = {(split.dimension, split.value): split for split in splits}
    assert by_value["country", ""].p == 1.0
    assert by_value["device", "mobile"].users == {"control": 50, "diverse": 50}
    assert by_value["app_version", ""].users == {"control": 100, "diverse": 200}


def test_the_users_needed_follow_from_the_declared_effect(unattributed: Audience) -> None:
    """10 %, worth finding is 15 %: 7.84888 · (0.09 + 0.1275) / 0.05² = 682.85 users a variant."""
    expose(unattributed, control=200, diverse=200)
    watch(unattributed, control=20, diverse=20)
    assert report("varied").users_needed is None
    Experiment.objects.update(minimum_effect=0.5)
    assert report("varied").users_needed == 683


def test_a_clock_that_goes_backwards_loses_nobody(audience: Audience) -> None:
    """The server's clock is set back an hour after the start: exposures and events before it count all the same."""
    audience.expose("control", ["ann"], minutes=-60)
    audience.act("ann", minutes=-59, request_id=audience.requests["ann", "control"])
    audience.expose("diverse", ["bob"], minutes=-30)
    assert means() == {"control": (1, 1.0), "diverse": (1, 0.0)}
    assert report("varied").looks[-1].users == {"control": 1, "diverse": 1}
