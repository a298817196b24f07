"""Reports of what was seen and opened: by whom they may come, and that each counts once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from interactions import profiles
from interactions.models import Event
from recommender import reporting, serving
from recommender.contracts import RecommendationList
from tests.recommender.film_site import FilmSite

ADDRESS = "/recommender/report"


@pytest.fixture
def made(site: FilmSite) -> RecommendationList:
    """A list of ann's."""
    site.does("ann", ("watch", "alien"))
    return serving.recommend("ann", context="homepage")


def tell(*lists: dict[str, Any]) -> int:
    body = json.dumps({"lists": list(lists)})
    return Client(enforce_csrf_checks=True).post(ADDRESS, body, content_type="application/json").status_code


def card(item_id: str, position: int = 0) -> dict[str, Any]:
    return {"item_id": item_id, "position": position}


def told() -> list[tuple[str, str, UUID, dict[str, Any]]]:
    rows = Event.objects.exclude(event_type__name="watch").order_by("event_type__name", "item__item_id")
    return list(rows.values_list("event_type__name", "item__item_id", "request_id", "context"))


def test_what_was_seen_and_opened_is_recorded_with_its_list(made: RecommendationList) -> None:
    note = reporting.note_of(made)
    report = {"note": note, "seen": [card("heat", 2), card("ronin", 3)], "opened": [card("heat", 2)]}
    assert tell(report) == tell(report) == 204
    shown = {"source": "homepage", "position": 2}
    assert told() == [
        ("click", "heat", made.request_id, shown),
        ("impression", "heat", made.request_id, shown),
        ("impression", "ronin", made.request_id, {"source": "homepage", "position": 3}),
    ]
    assert set(Event.objects.values_list("user__user_id", flat=True)) == {"ann"}


def test_lists_of_nobody_and_of_who_withholds_his_consent_carry_no_note(site: FilmSite) -> None:
    assert reporting.note_of(serving.recommend("")) == ""
    with site.commit():
        profiles.store("ann", consent="withheld")
    assert reporting.note_of(serving.recommend("ann")) == ""


def test_who_has_withdrawn_his_consent_since_is_not_recorded(site: FilmSite, made: RecommendationList) -> None:
    with site.commit():
        profiles.store("ann", consent="withheld")
    assert tell({"note": reporting.note_of(made), "seen": [card("heat")]}) == 204
    assert told() == []


@pytest.mark.parametrize(
    "change",
    [
        lambda report: report | {"note": report["note"][:-1] + "!"},
        lambda report: report | {"note": ""},
        lambda report: report | {"seen": [card("")]},
        lambda report: report | {"seen": [card("x" * 201)]},
        lambda report: report | {"seen": [card("a\0b")]},
        lambda report: report | {"seen": [card("heat")] * (reporting.MOST_CARDS + 1)},
        lambda report: report | {"seen": [{"item_id": "heat"}]},
        lambda report: {"note": report["note"], "seen": "heat"},
    ],
)
def test_what_is_no_report_is_refused_as_a_whole(
    made: RecommendationList, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    good = {"note": reporting.note_of(made), "seen": [card("heat")]}
    assert tell(good, change(good)) == 400
    assert told() == []


@pytest.mark.parametrize("body", ["", "[]", "{", '{"lists": 1}', "\xff"])
def test_other_bodies_are_refused(db: None, body: str) -> None:
    assert Client().post(ADDRESS, body.encode("latin-1"), content_type="application/json").status_code == 400


def test_a_note_is_good_for_a_day(made: RecommendationList) -> None:
    note = reporting.note_of(made)
    with time_machine.travel(timezone.now() + timedelta(days=1, minutes=1)):
        assert tell({"note": note, "seen": [card("heat")]}) == 400
    assert told() == []
