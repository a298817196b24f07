"""Ten thousand clicks of one person move nothing up by more than one place."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from interactions import popularity
from interactions.recording import EventInput, record
from recommender import serving
from tests.recommender.film_site import FILMS, FilmSite, ids

TARGET = "coco"


def trending() -> list[str]:
    return ids(serving.recommend("", kind="trending", limit=len(FILMS), record=False))


def test_one_person_is_one_person(site: FilmSite) -> None:
    """Each film has one taker more than the next one; the last of them is clicked as often as one likes."""
    for place, item_id in enumerate(FILMS):
        for number in range(len(FILMS) - place + 1):
            site.does(f"viewer-{number}", ("watch", item_id))
    with site.commit():
        popularity.refresh()
    before = trending()
    assert before == list(FILMS)
    now = timezone.now()
    for batch in range(10):
        fakes = [
            EventInput("one-bot", TARGET, "click", now - timedelta(seconds=batch * 1000 + number))
            for number in range(1000)
        ]
        with site.commit():
            assert {verdict.status for verdict in record(fakes)} == {"accepted"}
    with site.commit():
        popularity.refresh()
    after = trending()
    assert before.index(TARGET) - after.index(TARGET) <= 1
    assert sorted(after) == sorted(before)
