from __future__ import annotations

import pytest

from catalog import countries


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("FR", "France"),
        ("fr", "France"),
        ("US", "the United States"),
        ("GB", "the United Kingdom"),
        ("XX", "XX"),
        ("", ""),
    ],
)
def test_a_country_has_the_name_that_stands_after_in(code: str, name: str) -> None:
    assert countries.name(code) == name


def test_all_countries_come_by_name() -> None:
    codes = countries.codes()
    assert len(codes) == len(set(codes)) > 240
    assert codes[0] == "AF"
    assert codes.index("UA") < codes.index("GB") < codes.index("US")
