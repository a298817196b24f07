"""The simulated audience is the same for a seed, behaves like people, and watches together what belongs together."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from catalog.snapshot import Catalogue, build
from interactions.series import preceding_parts, series_name
from interactions.simulation import SimulatedPerson, simulate
from interactions.taste import item_features

FILMS: list[tuple[str, str, list[str], list[str], str, int]] = [
    ("Inception", "Science Fiction", ["mind-bending", "dreams", "heist"], ["Christopher Nolan"], "US", 2010),
    ("Interstellar", "Science Fiction", ["space", "mind-bending", "time"], ["Christopher Nolan"], "US", 2014),
    (
        "The Matrix",
        "Science Fiction",
        ["mind-bending", "dystopia", "artificial-intelligence"],
        ["Wachowski"],
        "US",
        1999,
    ),
    ("Blade Runner", "Science Fiction", ["dystopia", "artificial-intelligence", "noir"], ["Ridley Scott"], "US", 1982),
    ("Alien", "Science Fiction", ["space", "survival", "monster"], ["Ridley Scott"], "GB", 1979),
    ("Gravity", "Science Fiction", ["space", "survival", "time"], ["Alfonso Cuarón"], "US", 2013),
    ("Toy Story", "Animation", ["pixar", "family", "toys"], ["John Lasseter"], "US", 1995),
    ("Toy Story 2", "Animation", ["pixar", "family", "toys"], ["John Lasseter"], "US", 1999),
    ("Toy Story 3", "Animation", ["pixar", "family", "toys"], ["Lee Unkrich"], "US", 2010),
    ("Finding Nemo", "Animation", ["pixar", "family", "sea"], ["Andrew Stanton"], "US", 2003),
    ("Up", "Animation", ["pixar", "family", "adventure"], ["Pete Docter"], "US", 2009),
    ("Spirited Away", "Animation", ["studio-ghibli", "anime", "magic"], ["Hayao Miyazaki"], "JP", 2001),
    ("Princess Mononoke", "Animation", ["studio-ghibli", "anime", "nature"], ["Hayao Miyazaki"], "JP", 1997),
    ("My Neighbor Totoro", "Animation", ["studio-ghibli", "anime", "nature"], ["Hayao Miyazaki"], "JP", 1988),
    ("Ponyo", "Animation", ["studio-ghibli", "anime", "sea"], ["Hayao Miyazaki"], "JP", 2008),
    ("The Godfather", "Crime", ["mafia", "new-york", "epic"], ["Francis Ford Coppola"], "US", 1972),
    ("Goodfellas", "Crime", ["mafia", "new-york"], ["Martin Scorsese"], "US", 1990),
    ("Casino", "Crime", ["mafia", "gambling"], ["Martin Scorsese"], "US", 1995),
    ("Before Sunrise", "Romance", ["love-story", "vienna"], ["Richard Linklater"], "US", 1995),
    ("Before Sunset", "Romance", ["love-story", "paris"], ["Richard Linklater"], "US", 2004),
    ("Amélie", "Romance", ["love-story", "paris"], ["Jean-Pierre Jeunet"], "FR", 2001),
    ("Notting Hill", "Romance", ["love-story", "london"], ["Roger Michell"], "GB", 1999),
    ("The Shining", "Horror", ["haunted-house", "madness"], ["Stanley Kubrick"], "US", 1980),
    ("The Others", "Horror", ["haunted-house", "ghost"], ["Alejandro Amenábar"], "ES", 2001),
    ("The Orphanage", "Horror", ["haunted-house", "ghost"], ["J. A. Bayona"], "ES", 2007),
    ("Psycho", "Horror", ["madness", "killer"], ["Alfred Hitchcock"], "US", 1960),
]
TITLES = [film[0] for film in FILMS]


def catalogue() -> Catalogue:
    items: list[dict[str, Any]] = [
        {
            "id": 100 + row,
            "item_id": title.lower(),
            "title": title,
            "category": category,
            "tags": tags,
            "creators": creators,
            "countries": [country],
            "published_at": datetime(year, 6, 1, tzinfo=UTC),
        }
        for row, (title, category, tags, creators, country, year) in enumerate(FILMS)
    ]
    return build(items, revision=1)


@pytest.fixture(scope="module")
def people() -> list[SimulatedPerson]:
    return list(simulate(catalogue(), users=400, seed=7))


def watched(people: list[SimulatedPerson]) -> NDArray[np.float64]:
    matrix = np.zeros((len(people), len(FILMS)))
    for number, person in enumerate(people):
        matrix[number, [event.row for event in person.events if event.kind == "watch"]] = 1.0
    return matrix


def lift(matrix: NDArray[np.float64], one: str, other: str) -> float:
    """How many times likelier both are watched by one person than if they had nothing to do with each other."""
    first, second = matrix[:, TITLES.index(one)], matrix[:, TITLES.index(other)]
    return float((first * second).mean() / (first.mean() * second.mean()))


@pytest.mark.parametrize(
    "kin",
    [
        ["Inception", "Interstellar", "The Matrix"],
        ["Toy Story", "Toy Story 2", "Toy Story 3", "Finding Nemo", "Up"],
        ["Spirited Away", "Princess Mononoke", "My Neighbor Totoro", "Ponyo"],
        ["The Godfather", "Goodfellas", "Casino"],
        ["Before Sunrise", "Before Sunset"],
        ["The Shining", "The Others", "The Orphanage"],
    ],
)
def test_what_belongs_together_is_watched_together(people: list[SimulatedPerson], kin: list[str]) -> None:
    matrix = watched(people)
    foreign = [lift(matrix, one[0], other[0]) for one, other in combinations(FILMS, 2) if one[1] != other[1]]
    assert np.mean([lift(matrix, one, other) for one, other in combinations(kin, 2)]) > 2 * np.mean(foreign)


def test_the_seed_decides_everything(people: list[SimulatedPerson]) -> None:
    assert list(simulate(catalogue(), users=5, seed=7)) == people[:5]
    assert [person.events for person in simulate(catalogue(), users=5, seed=8)] != [p.events for p in people[:5]]
    assert [person.user_id for person in people[:2]] == ["demo-user-001", "demo-user-002"]


def test_people_view_before_they_watch_and_watch_before_they_rate(people: list[SimulatedPerson]) -> None:
    kinds: Counter[str] = Counter()
    for person in people:
        done: set[tuple[int, str]] = set()
        assert [event.before_seconds for event in person.events] == sorted(
            (event.before_seconds for event in person.events), reverse=True
        )
        for event in person.events:
            needed = {"view": None, "watch": "view", "rating": "watch"}[event.kind]
            assert needed is None or (event.row, needed) in done
            assert (event.row, event.kind) not in done
            assert (event.value is not None) == (event.kind == "rating")
            done.add((event.row, event.kind))
            kinds[event.kind] += 1
    assert kinds["view"] > kinds["watch"] > kinds["rating"] > 0


def test_all_that_happens_lies_within_the_year_before(people: list[SimulatedPerson]) -> None:
    moments = [event.before_seconds for person in people for event in person.events]
    assert min(moments) > 0
    assert max(moments) <= 366 * 86_400
    recent = sum(person.events[-1].before_seconds < 60 * 86_400 for person in people)
    assert recent > 0.8 * len(people)


def test_ratings_are_half_stars_and_follow_taste(people: list[SimulatedPerson]) -> None:
    ratings = [event.value for person in people for event in person.events if event.value is not None]
    assert set(ratings) <= {half / 2 for half in range(1, 11)}
    assert 3.0 < np.mean(ratings) < 4.3
    assert np.std(ratings) > 0.5


def test_a_series_is_followed_in_order(people: list[SimulatedPerson]) -> None:
    first, second = TITLES.index("Toy Story"), TITLES.index("Toy Story 2")
    in_order = out_of_order = 0
    for person in people:
        rows = [event.row for event in person.events if event.kind == "watch"]
        if first in rows and second in rows:
            in_order += rows.index(first) < rows.index(second)
            out_of_order += rows.index(first) > rows.index(second)
    assert in_order > 5 * out_of_order


def test_the_parts_of_a_series_are_told_by_their_titles() -> None:
    part_before = {
        TITLES[row]: TITLES[before] for row, before in enumerate(preceding_parts(catalogue())) if before >= 0
    }
    assert part_before == {"Toy Story 2": "Toy Story", "Toy Story 3": "Toy Story 2"}
    names = ["Kill Bill: Volume 1", "The Godfather Part II", "Rocky IV", "Up", "Se7en", "Harry Potter 8"]
    assert [series_name(name) for name in names] == [
        "kill bill",
        "the godfather",
        "rocky",
        "up",
        "se7en",
        "harry potter",
    ]


def test_features_are_weighted_shares_of_what_items_have_in_common() -> None:
    small = build(
        [
            {"id": 1, "item_id": "a", "title": "A", "category": "Drama", "tags": ["slow"]},
            {"id": 2, "item_id": "b", "title": "B", "category": "Drama", "tags": ["slow", "alone"]},
            {"id": 3, "item_id": "c", "title": "C", "category": "Comedy"},
        ],
        revision=1,
    )
    # Category weighs 0.7, tag 1.0, both with the same frequency: (0.7, 1) / sqrt(1.49).
    expected = np.array([[0.7, 1.0], [0.7, 1.0], [0.0, 0.0]]) / np.sqrt(1.49)
    np.testing.assert_allclose(item_features(small), expected)


def test_a_catalogue_that_is_too_small_is_refused() -> None:
    small = build([{"id": 1, "item_id": "a", "title": "A"}], revision=1)
    with pytest.raises(ValueError, match=r"^the catalogue has 1 items; an audience can be simulated for 10 to 5,000$"):
        list(simulate(small))
