from __future__ import annotations

import json
from typing import Any

import pytest

from recsite.rendering import OrjsonRenderer


def rendered(data: Any) -> Any:
    return json.loads(OrjsonRenderer().render(data))


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -(2**63)),
        (2**63, 2.0**63),
        (int(1e300), 1e300),
        (-int(1e300), -1e300),
        (10**400, "1" + "0" * 400),
        (True, True),
    ],
)
def test_a_number_beyond_64_bits_is_readable(number: int, shown: float | str) -> None:
    assert rendered({"item_id": "heat", "attributes": {"a": [{"b": number}]}}) == {
        "item_id": "heat",
        "attributes": {"a": [{"b": shown}]},
    }


def test_what_is_no_json_is_an_error() -> None:
    with pytest.raises(TypeError):
        rendered({"a": object()})


def test_an_answer_without_a_body_has_none() -> None:
    assert OrjsonRenderer().render(None) == b""
