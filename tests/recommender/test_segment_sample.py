from __future__ import annotations

import pytest

from recommender import segment_sample, segments
from recommender.segment_sample import users_of
from tests.recommender.film_site import FILMS, FilmSite


@pytest.fixture
def people(site: FilmSite) -> FilmSite:
    for name in ("ann", "bob", "cem"):
        site.does(name, ("watch", "heat"), ("watch", "ronin"))
    films = list(FILMS)
    site.does("dot", *(("view", films[n % len(films)]) for n in range(segments.REGULAR_FROM)))
    return site


def test_each_segment_gives_users_of_its_own(people: FilmSite) -> None:
    assert users_of(segments.REGULAR) == ["dot"]
    assert sorted(users_of(segments.RETURNING)) == ["ann", "bob", "cem"]
    assert users_of(segments.NEW) == [""]


def test_no_more_than_asked_for_and_others_for_another_seed(people: FilmSite) -> None:
    drawn = {tuple(users_of(segments.RETURNING, 2, seed)) for seed in range(10)}
    assert all(len(two) == 2 for two in drawn)
    assert len(drawn) > 1
    assert users_of(segments.RETURNING, 2, 4) == users_of(segments.RETURNING, 2, 4)


def test_only_so_many_are_asked(people: FilmSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_sample, "DRAWN", 0)
    assert users_of(segments.RETURNING) == []
