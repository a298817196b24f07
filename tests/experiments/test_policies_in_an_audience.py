"""What bandits and estimates of other policies come to among simulated people (`interactions.responses`)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.bandits import Beliefs, LinearBounds, draw, floored
from experiments.off_policy import (
    Decisions,
    direct_method,
    doubly_robust,
    estimate,
    inverse_propensity,
    self_normalized,
)
from interactions.responses import Audience, Temperament
from tests.experiments.reference_methods import upper_bounds

FloatArray = NDArray[np.float64]

ARMS, PEOPLE, STEPS = 5, 500, 8_000
CHOOSY = Temperament(fatigue=0.0, inclination=-2.0)


def regret(choose: Callable[[int, int], int], learn: Callable[[int, int, bool], None]) -> float:
    """Return what was lost against the arm that the audience likes best, one arm a step shown to somebody at random."""
    audience = Audience(PEOPLE, ARMS, seed=5, temperament=CHOOSY)
    rates = np.array([audience.chances(person, np.array([arm])) for person in range(PEOPLE) for arm in range(ARMS)])
    means = rates.reshape(PEOPLE, ARMS).mean(axis=0)
    people = np.random.default_rng(6).integers(0, PEOPLE, STEPS).tolist()
    lost = 0.0
    for step, person in enumerate(people):
        arm = choose(step, person)
        learn(person, arm, bool(audience.respond(person, np.array([arm]))[0]))
        lost += means.max() - means[arm]
    return lost


def test_a_bandit_costs_less_than_upper_bounds_and_those_less_than_chance() -> None:
    successes, trials = np.zeros(ARMS), np.zeros(ARMS)
    chances = np.full(ARMS, 1 / ARMS)
    random = np.random.default_rng(7)

    def learn(_: int, arm: int, taken: bool) -> None:
        trials[arm] += 1
        successes[arm] += taken

    def thompson(step: int, _: int) -> int:
        if step % 20 == 0:
            chances[:] = floored(Beliefs(successes, trials - successes).chances_to_be_best(), 0.02)
        return draw(chances, random.random())

    of_thompson = regret(thompson, learn)
    successes[:], trials[:] = 0, 0
    of_bounds = regret(lambda *_: int(np.argmax(upper_bounds(successes, trials))), learn)
    of_chance = regret(lambda *_: int(random.integers(ARMS)), lambda *_: None)
    assert of_thompson < of_bounds < of_chance


def test_what_knows_the_person_earns_more_than_what_does_not() -> None:
    """LinUCB sees each person's tastes: it chooses other arms for other people, and earns more than any one arm."""
    audience = Audience(PEOPLE, ARMS, seed=5, temperament=CHOOSY)
    rates = np.array([audience.chances(person, np.array([arm])) for person in range(PEOPLE) for arm in range(ARMS)])
    rates = rates.reshape(PEOPLE, ARMS)
    contexts = np.column_stack([np.ones(PEOPLE), audience.tastes])
    arms = [LinearBounds(contexts.shape[1], alpha=0.5) for _ in range(ARMS)]
    random = np.random.default_rng(8)
    earned = 0.0
    for step, person in enumerate(random.integers(0, PEOPLE, STEPS // 2).tolist()):
        context = contexts[person][None]
        arm = int(np.argmax([float(one.bounds(context)[0]) for one in arms]))
        arms[arm].learn(context[0], float(audience.respond(person, np.array([arm]))[0]))
        earned += rates[person, arm] if step >= STEPS // 4 else 0.0
    assert earned / (STEPS // 4) > 1.1 * rates.mean(axis=0).max()


ROWS = 100_000


@pytest.fixture(scope="module")
def logged() -> tuple[Decisions, float]:
    """Return 100,000 decisions of a policy that shows people rather what suits them, asked about one that shows all
    items alike, and what that one earns in truth. The model of the rewards does not know people: it takes each item's
    mean for everybody's, though the item was shown to those whom it suits."""
    people, items = 2_000, 5
    audience = Audience(people, items, seed=9, temperament=Temperament(inclination=0.0, fatigue=0.0))
    rates = np.array([audience.chances(person, np.array([item])) for person in range(people) for item in range(items)])
    rates = rates.reshape(people, items)
    liking = np.exp(1.5 * np.log(rates / (1 - rates)))
    policy = 0.05 + 0.75 * liking / liking.sum(axis=1, keepdims=True)
    random = np.random.default_rng(10)
    who = random.integers(0, people, ROWS)
    shown = (random.random(ROWS)[:, None] > policy[who].cumsum(axis=1)).sum(axis=1)
    rewards = (random.random(ROWS) < rates[who, shown]).astype(np.float64)
    model = np.array([rewards[shown == item].mean() for item in range(items)])
    decisions = Decisions(
        rewards=rewards,
        propensities=policy[who, shown],
        target=np.full(ROWS, 1 / items),
        expected=model[shown],
        expected_of_target=np.full(ROWS, model.mean()),
    )
    return decisions, float(rates[who].mean())


@pytest.mark.parametrize("estimator", [inverse_propensity, self_normalized, doubly_robust])
def test_weighed_by_propensity_an_estimate_is_within_a_hundredth(
    logged: tuple[Decisions, float], estimator: Callable[[Decisions], tuple[float, FloatArray]]
) -> None:
    decisions, truth = logged
    found = estimate(decisions, estimator)
    assert found.value == pytest.approx(truth, rel=0.01)
    assert found.low < truth < found.high


def test_a_model_that_is_wrong_is_wrong_by_more_than_a_tenth(logged: tuple[Decisions, float]) -> None:
    decisions, truth = logged
    found = estimate(decisions, direct_method)
    assert found.value > 1.1 * truth
    assert found.low > truth
