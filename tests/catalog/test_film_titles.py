"""MovieLens titles and genres become what a person would write."""

from __future__ import annotations

import pytest

from catalog.datasets.film_titles import FilmTitle, film_title, genre_names, main_genre
from catalog.datasets.movielens import clean_tag


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Toy Story (1995)", FilmTitle("Toy Story", 1995)),
        ("Matrix, The (1999)", FilmTitle("The Matrix", 1999)),
        (
            "City of Lost Children, The (Cité des enfants perdus, La) (1995)",
            FilmTitle("The City of Lost Children", 1995, ("La Cité des enfants perdus",)),
        ),
        ("Star Maker, The (Uomo delle stelle, L') (1995)", FilmTitle("The Star Maker", 1995, ("L'Uomo delle stelle",))),
        ("Seven (a.k.a. Se7en) (1995)", FilmTitle("Seven", 1995, ("Se7en",))),
        (
            "Léon: The Professional (a.k.a. The Professional) (Léon) (1994)",
            FilmTitle("Léon: The Professional", 1994, ("The Professional", "Léon")),
        ),
        ("Rocky VI (1986) ", FilmTitle("Rocky VI", 1986)),
        ("Big Bang Theory, The (2007-)", FilmTitle("The Big Bang Theory", 2007)),
        ("Fawlty Towers (1975-1979)", FilmTitle("Fawlty Towers", 1975)),
        ("(500) Days of Summer (2009)", FilmTitle("(500) Days of Summer", 2009)),
        (
            "Birdman: Or (The Unexpected Virtue of Ignorance) (2014)",
            FilmTitle("Birdman: Or (The Unexpected Virtue of Ignorance)", 2014),
        ),
        ("Hyena Road", FilmTitle("Hyena Road")),
        ("Paris, Texas (1984)", FilmTitle("Paris, Texas", 1984)),
        ("1984 (Nineteen Eighty-Four) (1984)", FilmTitle("1984", 1984, ("Nineteen Eighty-Four",))),
    ],
)
def test_a_title_is_taken_apart(text: str, expected: FilmTitle) -> None:
    assert film_title(text) == expected


@pytest.mark.parametrize(
    ("genres", "main"),
    [
        ("Adventure|Animation|Children|Comedy|Fantasy", "Animation"),
        ("Action|Sci-Fi|Thriller", "Science Fiction"),
        ("Comedy|Crime|Drama|Thriller", "Crime"),
        ("Action|Drama|War", "War"),
        ("Animation|Children's|Comedy", "Animation"),
        ("Film-Noir|Mystery", "Film Noir"),
        ("Drama|IMAX", "Drama"),
        ("(no genres listed)", ""),
    ],
)
def test_the_main_genre_is_what_sets_a_film_apart(genres: str, main: str) -> None:
    assert main_genre(genre_names(genres)) == main


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("  Twist   Ending ", "twist ending"),
        ('"dark"', "dark"),
        ("Sci-Fi", "science fiction"),
        ("a", ""),
        ("007", ""),
        ("x" * 51, ""),
        ("a\tb", "a b"),
    ],
)
def test_a_users_tag_is_cleaned(text: str, tag: str) -> None:
    assert clean_tag(text) == tag
