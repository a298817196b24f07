from __future__ import annotations

from typing import Any

import pytest

from recommender.rules.viewer import Viewer, is_for, is_held_out
from recommender.rules.vocabulary import Action, Audience, RuleSpec

ANN = Viewer(
    user_id="ann", placement="home", country="FR", language="pt-BR", device="mobile", segments=("new", "young")
)


def spec(pk: int = 1, holdout: float = 0.0, **audience: Any) -> RuleSpec:
    return RuleSpec(pk=pk, action=Action.HIDE, audience=Audience(**audience), holdout=holdout)


@pytest.mark.parametrize(
    ("audience", "hers"),
    [
        ({}, True),
        ({"placements": ("home", "item")}, True),
        ({"placements": ("item",)}, False),
        ({"countries": ("FR",)}, True),
        ({"countries": ("DE",)}, False),
        ({"languages": ("pt",)}, True),
        ({"languages": ("PT-br",)}, True),
        ({"languages": ("p", "en")}, False),
        ({"devices": ("mobile",)}, True),
        ({"devices": ("tv",)}, False),
        ({"segments": ("old", "new")}, True),
        ({"segments": ("old",)}, False),
        ({"placements": ("home",), "countries": ("DE",)}, False),
    ],
)
def test_a_rule_is_for_those_who_meet_all_it_asks(audience: dict[str, Any], hers: bool) -> None:
    assert is_for(spec(**audience), ANN) is hers


def test_a_holdout_is_of_the_rule_and_the_user() -> None:
    users = [f"u{number}" for number in range(2000)]
    one = {user for user in users if is_held_out(spec(1, 0.2), user)}
    other = {user for user in users if is_held_out(spec(2, 0.2), user)}
    assert 340 < len(one) < 460
    # Independent: a fifth of a fifth is in both.
    assert 40 < len(one & other) < 120
    assert one < {user for user in users if is_held_out(spec(1, 0.5), user)}
    assert not is_held_out(spec(1, 0.9), "")
    assert not any(is_for(spec(1, 0.2), Viewer(user_id=user)) for user in one)
