from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.bandits import Beliefs, LinearBounds, draw, floored
from tests.experiments.reference_methods import beta_chance_to_win, mean_rewards, upper_bounds


def test_the_greedy_means() -> None:
    """R11: arms a, a, b, b, c, c, c earned 1, 0, 1, 1, 0, 0, 1."""
    found = mean_rewards({"a": [1, 0], "b": [1, 1], "c": [0, 0, 1], "new": []})
    assert found == pytest.approx({"a": 0.5, "b": 1.0, "c": 1 / 3, "new": 0.0})
    assert max(found, key=found.__getitem__) == "b"


def test_upper_bounds() -> None:
    """R11: the same with alpha 1.25."""
    found = upper_bounds(np.array([1.0, 2.0, 1.0]), np.array([2.0, 2.0, 3.0]), alpha=1.25)
    assert found == pytest.approx([2.2436985427, 2.7436985427, 1.7570572316], abs=5.1e-11)
    assert upper_bounds(np.array([0.0, 3.0]), np.array([0.0, 4.0]))[0] == np.inf


ROWS = [((1, 0), "a", 1), ((0, 1), "b", 0), ((1, 1), "a", 1), ((1, 0), "b", 0)]
CONTEXTS = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])


@pytest.mark.parametrize(
    ("arm", "alpha", "expected"),
    [
        ("a", 1.0, [1.2324555320, 0.9745966692, 1.5745966692]),
        ("b", 1.0, [0.7071067812, 0.7071067812, 1.0]),
        ("a", 0.0, [0.6, 0.2, 0.8]),
    ],
)
def test_linear_bounds(arm: str, alpha: float, expected: list[float]) -> None:
    """R11."""
    bounds = LinearBounds(2, alpha=alpha)
    for context, of_arm, reward in ROWS:
        if of_arm == arm:
            bounds.learn(np.array(context, dtype=float), reward)
    assert bounds.bounds(CONTEXTS) == pytest.approx(expected, abs=5.1e-11)


def test_the_chance_to_be_the_better_of_two_is_that_of_the_closed_form() -> None:
    found = Beliefs(np.array([15.0, 20.0]), np.array([85.0, 80.0])).chances_to_be_best()
    assert found[1] == pytest.approx(beta_chance_to_win(15, 85, 20, 80), abs=0.001)
    assert found.sum() == pytest.approx(1)


def test_the_chance_to_be_the_best_of_four_is_how_often_it_is_drawn() -> None:
    successes, failures = np.array([3.0, 0.0, 8.0, 2.0]), np.array([40.0, 0.0, 60.0, 90.0])
    drawn = np.random.default_rng(1).beta(1 + successes, 1 + failures, size=(100_000, 4)).argmax(axis=1)
    found = Beliefs(successes, failures).chances_to_be_best()
    assert found == pytest.approx(np.bincount(drawn, minlength=4) / 100_000, abs=0.01)


@given(st.lists(st.floats(0.001, 100), min_size=1, max_size=8), st.floats(-1, 1))
def test_a_floor_keeps_order_and_sum(weights: list[float], least: float) -> None:
    """R11."""
    found = floored(np.array(weights), least)
    assert found.sum() == pytest.approx(1)
    assert found.min() >= min(max(least, 0), 1 / len(weights)) - 1e-12
    order = np.argsort(weights, kind="stable")
    assert (np.diff(found[order]) >= -1e-12).all()


def test_a_floor_by_hand() -> None:
    """R11: f + (1 - n f) w; nothing left to share is the same for all; below 0 is none."""
    weights = np.array([0.9, 0.1, 0.0])
    assert floored(weights, 0.1) == pytest.approx([0.73, 0.17, 0.1])
    assert floored(weights, 0.4) == pytest.approx([1 / 3] * 3)
    assert floored(weights, -1) == pytest.approx(weights)


def test_a_draw_falls_where_it_should() -> None:
    chances = np.array([0.25, 0.0, 0.75])
    assert [draw(chances, at) for at in (0.0, 0.2499, 0.25, 0.9999, 1.0)] == [0, 0, 2, 2, 2]


def test_thompson_costs_less_than_upper_bounds_and_those_less_than_chance() -> None:
    """R11: rates 0.05 and 0.10, 10,000 steps, beliefs renewed every ten; what is logged is how probable it was."""
    rates, steps = np.array([0.05, 0.10]), 10_000
    regrets: dict[str, float] = {}
    for name in ("thompson", "bounds", "chance"):
        random = np.random.default_rng(7)
        successes, trials = np.zeros(2), np.zeros(2)
        chances = np.full(2, 0.5)
        chosen, weights = np.zeros(steps, dtype=int), np.zeros(2)
        for step in range(steps):
            if name == "thompson" and step % 10 == 0:
                chances = floored(Beliefs(successes, trials - successes).chances_to_be_best(), 0.05)
            if name == "bounds":
                chances = np.eye(2)[int(np.argmax(upper_bounds(successes, trials)))]
            arm = chosen[step] = draw(chances, random.random())
            weights[arm] += 1 / chances[arm]
            trials[arm] += 1
            successes[arm] += random.random() < rates[arm]
        regrets[name] = float((rates.max() - rates[chosen]).sum())
        if name == "thompson":
            assert (chosen[-1_000:] == 1).mean() > 0.8
            # The worse arm has a chance of 0.05 for long: a standard deviation is √(19 / 10,000) = 0.044 at most.
            assert weights / steps == pytest.approx([1, 1], abs=0.05)
    assert regrets["thompson"] < regrets["bounds"] < regrets["chance"]
