from __future__ import annotations

import pytest

from interactions import features, preferences, profiles
from interactions.models import UserProfile
from interactions.preferences import NONE, Preferences


def test_the_documented_keys_are_read_each_entry_once() -> None:
    told = {"categories": ["Comedy", "comedy", "Sci-Fi"], "tags": ["Heist"], "items": ["603", "603"], "language": "fr"}
    assert preferences.of(told) == Preferences(categories=("comedy", "sci-fi"), tags=("heist",), items=("603",))


@pytest.mark.parametrize("told", [{}, {"categories": "Comedy"}, {"tags": [1, None]}, {"items": {"603": 1}}])
def test_what_is_of_another_form_says_nothing(told: dict[str, object]) -> None:
    assert preferences.of(told) == NONE
    assert not preferences.of(told)


def test_no_more_than_a_hundred_of_a_kind_are_read() -> None:
    assert len(preferences.of({"tags": [str(number) for number in range(200)]}).tags) == 100


def test_packed_preferences_come_back() -> None:
    told = Preferences(categories=("comédie",), items=("603",))
    assert preferences.unpack(preferences.pack(told)) == told
    assert preferences.pack(NONE) == b""
    assert preferences.unpack(b"") is NONE


def test_changed_preferences_show_on_the_next_request(db: None, django_capture_on_commit_callbacks: object) -> None:
    def stored(**fields: object) -> Preferences:
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator] # pytest-django's fixture
            profiles.store("ann", **fields)  # type: ignore[arg-type] # a field of a profile
        assert features.load("ann")[0].preferences == features.as_of("ann").preferences
        return features.load("ann")[0].preferences

    assert stored() == NONE
    assert stored(preferences={"tags": ["Heist"]}) == Preferences(tags=("heist",))
    assert stored(consent="withheld") == NONE
    assert UserProfile.objects.get().preferences == {"tags": ["Heist"]}
