from __future__ import annotations

import pytest

from experiments.analysis.report import report
from experiments.analysis.sequential import half_width
from experiments.models import Experiment, Exposure, Phase
from interactions.models import Impression
from tests.experiments.conftest import Audience


@pytest.fixture
def mixed(audience: Audience) -> Audience:
    """Everybody sees two places: the first one the control's, the second one the other variant's."""
    Experiment.objects.update(kind=Experiment.Kind.INTERLEAVING)
    return audience


def expose(audience: Audience, *units: str, others: tuple[str, ...] = ("diverse",)) -> None:
    audience.expose("interleaved", units)
    second = audience.item.__class__.objects.get_or_create(item_id="second", title="Another")[0]
    third = audience.item.__class__.objects.get_or_create(item_id="third", title="A third")[0]
    Impression.objects.filter(position=0).update(variant="control")
    Impression.objects.filter(position=1).update(variant=others[0], item=second)
    if others[1:]:
        for row in Impression.objects.filter(position=0):
            row.pk, row.position, row.variant, row.item = None, 2, others[1], third
            row.save(force_insert=True)


def choose(audience: Audience, unit: str, item_id: str) -> None:
    first = audience.item
    audience.item = first.__class__.objects.get(item_id=item_id)
    audience.act(unit, request_id=audience.requests[unit, "interleaved"])
    audience.item = first


def test_each_user_counts_once(mixed: Audience) -> None:
    """Ann chose both variants' places, Bob and Cid the other's, Dan the control's (twice: once), Eve nothing, and Fay
    what was in no list of his. Leads 0, 1, 1, -1: mean 0.25, variance (0 + 1 + 1 + 1 - 4/16) / 3."""
    expose(mixed, "ann", "bob", "cid", "dan", "eve", "fay")
    for unit, item_id in (("ann", "film"), ("ann", "second"), ("bob", "second"), ("cid", "second"), ("dan", "film")):
        choose(mixed, unit, item_id)
    choose(mixed, "dan", "film")
    mixed.act("fay")
    (found,) = report("varied").preferences
    assert (found.variant, found.users_for_control, found.users_for_variant, found.ties) == ("diverse", 1, 2, 1)
    assert (found.share, found.lead) == (pytest.approx(2 / 3), 0.25)
    assert found.low == -1.0 < found.lead < found.high == 1.0
    assert found.p_sign == 1.0
    # t = 0.25 / sqrt(2.75 / 3 / 4) = 0.5222 with 3 degrees of freedom.
    assert found.p_t == pytest.approx(0.6376, abs=0.001)


def test_a_preference_of_many_is_a_verdict(mixed: Audience) -> None:
    """200 users, 150 for the other, 50 for the control: lead 0.5, variance (200 - 50) / 199."""
    units = [f"u{number}" for number in range(200)]
    expose(mixed, *units)
    for number, unit in enumerate(units):
        choose(mixed, unit, "film" if number < 50 else "second")
    found = report("varied")
    (preference,) = found.preferences
    assert (preference.lead, preference.share) == (0.5, 0.75)
    margin = half_width(200, (150 / 199) ** 0.5)
    assert (preference.low, preference.high) == (pytest.approx(0.5 - margin), pytest.approx(0.5 + margin))
    assert found.decision == "better"
    assert found.verdict == (
        "diverse is preferred to control: 75% of the users who chose more of one chose more of its places "
        f"(lead +0.50, 95% interval {preference.low:+.2f} to {preference.high:+.2f})."
    )
    assert (found.metrics, found.looks, found.sample_ratio.is_testable) == ((), (), False)
    assert [arm.users for arm in found.arms] == [200, 200]
    assert found.warnings == ()


def test_few_users_are_too_early(mixed: Audience) -> None:
    expose(mixed, "ann")
    found = report("varied")
    assert (found.decision, found.verdict) == (
        "too_early",
        "Too early to say: 1 users have seen the mixed lists; 150 are needed.",
    )
    assert found.preferences[0].p_sign == 1.0


def test_more_than_two_are_each_compared_with_the_control(mixed: Audience) -> None:
    Phase.objects.update(weights=[["control", 1], ["diverse", 1], ["third", 1], ["paused", 0]])
    expose(mixed, "ann", "bob", "cid", others=("diverse", "third"))
    for unit, item_id in (("ann", "third"), ("bob", "third"), ("bob", "film"), ("cid", "second")):
        choose(mixed, unit, item_id)
    diverse, third = report("varied").preferences
    assert (diverse.users_for_control, diverse.users_for_variant, diverse.ties) == (1, 1, 0)
    assert (third.users_for_control, third.users_for_variant, third.ties) == (0, 1, 1)


def test_nobody_decides_nothing(mixed: Audience) -> None:
    Exposure.objects.all().delete()
    (found,) = report("varied").preferences
    assert (found.lead, found.low, found.high, found.p_t, found.share) == (0.0, -1.0, 1.0, 1.0, 0.5)
