"""In a simulated audience, mixed lists find the better of two rankings with a tenth of the users that a split needs."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from experiments.analysis.power import users_for_mean
from experiments.interleaving import credit, preference, team_draft
from interactions.responses import Audience, Temperament

PEOPLE, ITEMS, PLACES = 1_000, 200, 10
WORSE, BETTER = 1.0, 0.6
"""How much noise a ranking has beside what suits a person, in logits."""


@pytest.fixture(scope="module")
def choices() -> tuple[list[int], list[int], list[tuple[int, int]]]:
    """What each person chooses in a season: from the worse ranking's lists, from the better one's, and of both in mixed
    lists. He is as active in all three."""
    audience = Audience(PEOPLE, ITEMS, seed=1, temperament=Temperament(fatigue=0.0))
    noise, random = np.random.default_rng(2), Random(3)
    of_worse, of_better, mixed = [], [], []
    for person, sessions in enumerate(audience.sessions().tolist()):
        suits = audience.suits(person, np.arange(ITEMS))
        sums = np.zeros(4, dtype=int)
        for _ in range(sessions):
            worse, better = (np.argsort(-(suits + noise.normal(0.0, blur, ITEMS)))[:PLACES] for blur in (WORSE, BETTER))
            drawn = team_draft([worse.tolist(), better.tolist()], PLACES, random)
            clicked = np.flatnonzero(audience.respond(person, np.array(drawn.items))).tolist()
            sums += (
                int(audience.respond(person, worse).sum()),
                int(audience.respond(person, better).sum()),
                *credit(drawn.teams, clicked),
            )
        of_worse.append(int(sums[0]))
        of_better.append(int(sums[1]))
        mixed.append((int(sums[2]), int(sums[3])))
    return of_worse, of_better, mixed


def test_mixed_lists_need_a_tenth_of_the_users(choices: tuple[list[int], list[int], list[tuple[int, int]]]) -> None:
    """A split needs 3,908 users at a power of 0.8; a tenth of those, drawn 300 times, prefer the better ranking at
    p < 0.05 in more than 0.8 of the draws (in all of them, when written)."""
    of_worse, of_better, mixed = choices
    spread = float(np.std([*of_worse, *of_better]))
    needed = 2 * users_for_mean(spread, float(np.mean(of_better) - np.mean(of_worse)))
    draws = np.random.default_rng(4)
    found = 0
    for _ in range(300):
        preferred = preference([mixed[at] for at in draws.integers(0, PEOPLE, int(needed / 10))])
        found += preferred.p < 0.05 and preferred.second > preferred.first
    assert found / 300 > 0.8
