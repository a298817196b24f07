from __future__ import annotations

import numpy as np
import pytest

from catalog.snapshot import build
from interactions.responses import Audience, Temperament, examination

FIRST_TEN = np.arange(10)


def test_places_are_looked_at_less_the_lower_they_are() -> None:
    assert examination(4, 1.0) == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4])
    assert examination(3, 0.0) == pytest.approx([1, 1, 1])


def test_the_seed_decides_everything() -> None:
    def story(seed: int) -> list[list[bool]]:
        audience = Audience(20, 50, seed=seed)
        told = []
        for _ in range(3):
            told += [audience.respond(person, FIRST_TEN).tolist() for person in range(20)]
            audience.pass_day()
        return told

    assert story(1) == story(1)
    assert story(1) != story(2)


def test_an_item_is_chosen_as_often_as_its_chance_says() -> None:
    """The inclination alone at the first place is 1 / (1 + e^2.5) = 0.0759, half of that at the second."""
    plain = Temperament(taste=0.0, quality=0.0, fatigue=0.0, openness=0.0)
    audience = Audience(1, 2, seed=3, temperament=plain)
    rows = np.array([0, 1])
    assert audience.chances(0, rows) == pytest.approx([0.07586, 0.03793], abs=1e-5)
    chosen = np.mean([audience.respond(0, rows) for _ in range(20_000)], axis=0)
    assert chosen == pytest.approx([0.07586, 0.03793], abs=0.0075)  # 4 standard deviations


def test_how_items_suit_people_is_as_varied_as_said() -> None:
    audience = Audience(300, 400, seed=4, temperament=Temperament(taste=1.5, quality=0.0, openness=0.0))
    found = np.array([audience.suits(person, np.arange(400)) for person in range(300)])
    assert found.mean() == pytest.approx(-2.5, abs=0.1)
    assert found.std() == pytest.approx(1.5, abs=0.1)


def test_what_was_shown_in_vain_is_wanted_less_until_it_is_chosen() -> None:
    audience = Audience(1, 10, seed=5, temperament=Temperament(inclination=-30.0, fatigue=0.5))
    before = audience.suits(0, FIRST_TEN)
    for _ in range(3):
        assert not audience.respond(0, FIRST_TEN).any()
    odds = audience.chances(0, FIRST_TEN) / examination(10, 1.0)
    assert np.log(odds) == pytest.approx(before - 1.5, abs=1e-3)
    eager = Audience(1, 10, seed=5, temperament=Temperament(inclination=50.0, position_bias=0.0))
    assert eager.respond(0, FIRST_TEN).all()
    assert eager.chances(0, FIRST_TEN) == pytest.approx(np.ones(10))


def test_tastes_drift_without_growing_and_people_and_items_arrive() -> None:
    audience = Audience(1_000, 1_000, seed=6, temperament=Temperament(drift=0.1, new_people=0.05, new_items=0.02))
    first = audience.tastes.copy()
    audience.pass_day()
    assert len(audience.tastes) == pytest.approx(1_050, abs=28)  # 4 standard deviations
    assert len(audience.traits) == len(audience.qualities) == pytest.approx(1_020, abs=18)
    stayed = audience.tastes[:1_000]
    alike = (first * stayed).sum() / np.sqrt((first**2).sum() * (stayed**2).sum())
    assert alike == pytest.approx(0.9**0.5, abs=0.02)
    assert stayed.std() == pytest.approx(first.std(), rel=0.03)
    assert audience.respond(len(audience.tastes) - 1, np.array([len(audience.traits) - 1])).shape == (1,)


def test_few_people_come_very_often() -> None:
    """Half of them more than 6 times; one in twenty more than 6 · e^(1.2 · 1.645) = 43 times."""
    audience = Audience(20_000, 1, seed=7)
    sessions = audience.sessions()
    assert (sessions.min(), sessions.max()) == (1, 200)
    assert (sessions >= 6).mean() == pytest.approx(0.5, abs=0.02)
    assert (sessions > 43).mean() == pytest.approx(0.05, abs=0.01)


def test_who_comes_is_drawn_by_how_often_he_comes() -> None:
    audience = Audience(50, 1, seed=8)
    came = np.bincount(audience.visitors(20_000), minlength=50)
    sessions = Audience(50, 1, seed=8).sessions()
    # Four standard deviations of a share of 20,000 draws are at most 0.0142.
    assert came / 20_000 == pytest.approx(sessions / sessions.sum(), abs=0.0142)


def test_people_of_a_catalogue_like_what_they_have_taken() -> None:
    """Two groups of films with nothing in common: everybody has taken three films of one of them."""
    films = [
        {
            "id": 1 + row,
            "item_id": str(row),
            "title": str(row),
            "tags": [f"{'ab'[row // 10]}{row % 3}", "ab"[row // 10]],
        }
        for row in range(20)
    ]
    of_first, of_second = np.array([0, 3, 4]), np.array([11, 15, 18])
    taken = [of_first] * 15 + [of_second] * 15
    audience = Audience.among(build(films, revision=1), taken, seed=9, temperament=Temperament(quality=0.0))
    rows = np.arange(20)
    for person, others in ((2, slice(10, 20)), (20, slice(0, 10))):
        suits = audience.suits(person, rows)
        mine = np.delete(suits, np.arange(20)[others])
        assert mine.min() > suits[others].max()
        # As strong as tastes that are drawn: one standard deviation over items.
        assert suits.std() == pytest.approx(1.0)
    liked = Audience.among(build(films, revision=1), [of_first, np.array([0])], seed=9).qualities
    assert int(liked.argmax()) == 0
    assert liked.std() == pytest.approx(Temperament().quality)
    again = Audience.among(build(films, revision=1), taken, seed=9)
    assert (again.traits == audience.traits).all()
